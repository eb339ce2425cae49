// Answers every question of ejabberd: yes, unless the secret is "wrong". Lets the tests of the stack itself run without the product.
let pending = Buffer.alloc(0);
process.stdin.on('data', (chunk) => {
  pending = Buffer.concat([pending, chunk]);
  while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
    const end = 2 + pending.readUInt16BE(0);
    process.stdout.write(Buffer.from([0, 2, 0, pending.subarray(2, end).toString().endsWith(':wrong') ? 0 : 1]));
    pending = pending.subarray(end);
  }
});
