/** As phpBB stores a name: PHP's htmlspecialchars with ENT_COMPAT. */
export const encodeEntities = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

/**
 * Undoes PHP's htmlspecialchars, which phpBB applies to what people type before it stores it: the four names and numeric
 * references, decoded once (`&amp;lt;` becomes `&lt;`). Anything else is left as it is, also half an entity at the end
 * of a name that phpBB 2 cut at 25 bytes.
 */
export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:(amp|lt|gt|quot)|#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6}));/g, (entity, name, decimal, hex) => {
    if (name !== undefined) return NAMED[name] ?? entity;
    const point = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    const character = point > 0 && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
    return character ? String.fromCodePoint(point) : entity;
  });
}
