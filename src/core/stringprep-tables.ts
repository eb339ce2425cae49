// Made by scripts/stringprep-tables.py; do not edit.
// Data: RFC 3454 and the Unicode Character Database 3.2, © Unicode, Inc., under the Unicode License v3. Numbers in base 36; ranges are pairs of (gap from the last end, length less one).

/** A.1: unassigned in Unicode 3.2. */
export const UNASSIGNED =
  'f5 0 j r 2n 1 1s g 29 f h 3 3 3 2 2 2 4 8 0 2 0 l 0 19 0 14 8 3s 0 20 0 13 1 3 5 h w 13 1 8 0 14 0 3 5 i 0 o 0 ' +
  'b a s 4 6 m 2 d 2 2 2 0 r 4 n 9 3z 1 g 0 f 0 v 2 s 1g 1f 9a 4 0 1i 1 j 1 6 2 q f 4 0 9 1 3 1 n 0 8 0 2 2 5 1 2 ' +
  '0 8 1 3 1 4 8 2 3 3 0 6 1 m 6 2 1 7 3 3 1 n 0 8 0 3 0 3 0 3 1 2 0 6 3 3 1 4 a 5 0 2 6 g b 4 0 8 0 2 0 4 0 n 0 ' +
  '8 0 3 0 6 1 b 0 4 0 4 1 2 e 2 4 b g 4 0 9 1 3 1 n 0 8 0 3 1 5 1 9 2 3 1 4 7 3 3 3 0 4 3 c g 3 0 7 2 4 0 5 2 3 ' +
  '0 2 0 3 2 3 2 4 2 9 0 4 3 6 2 4 0 5 8 2 e d d 4 0 9 0 4 0 o 0 b 0 6 3 8 0 4 0 5 6 3 8 3 3 b h 3 0 9 0 4 0 o 0 ' +
  'b 0 6 3 8 0 4 0 5 6 3 6 2 0 3 3 b h 3 0 9 0 4 0 o 0 h 3 7 1 4 0 5 8 2 7 3 3 b h 3 0 j 2 p 0 a 0 2 1 8 2 2 3 7 ' +
  '0 2 0 9 h 4 b 1n 3 u 10 3 0 2 1 3 0 2 1 2 5 5 0 8 0 4 0 2 0 2 1 3 0 e 0 4 1 6 0 2 0 7 1 b 1 3 x 21 0 z 5 s 3 9 ' +
  '0 11 0 g 1 2 1b z 0 6 0 3 0 8 2 5 5 r 1x 13 9 16 1 2 3 2j 4 1x 4 2b 5 8 0 1s 0 2 0 5 1 8 0 2 0 5 1 14 0 2 0 5 ' +
  '1 w 0 2 0 5 1 8 0 2 0 5 1 8 0 8 0 o 0 w 0 2 0 5 1 8 0 14 0 k 5 t y 2e b hj 8 u 2 2a e e 0 8 a o 8 l b e 0 4 0 ' +
  '3 b 2m 2 b l g 0 b 5 2h 7 17 11x 4d 3 2j 5 n 1 7 1 13 1 7 1 9 0 2 0 2 0 2 0 w 1 1i 0 g 0 f 1 7 0 k 1 4 0 a 0 ' +
  '2c 3 2 6 6 5 9 1 s g j t s k 1o 1 g 6 1e b g0 1c 14 o c k 4g 0 7p 1 3 0 2u 1 b 3a 5 0 5 1 t 0 10 0 2 0 5 2 2 0 ' +
  '8 1 1h 2 p 0 f g t 3 lt ov r 0 2i b 5z p d 3 1t 0 2f 1 2w 4 15 3 2n 0 15 1j 1a 2 11 c 18 2 26 3 1c 0 3c 3 2s 1 ' +
  'w 0 52v 21 g4n 2h we 2 1k 1fc 8md 2j 6r3 1 1o 44 8 b 6 4 r 0 6 0 2 0 3 0 3 0 31 w a6 f 1t 1 1j 7 1a 2 h f 5 b ' +
  'o 1 b 0 k 0 5 3 6 0 3s 1 2 0 5b 2 7 1 7 1 7 1 4 2 8 0 8 9 8 lb w 0 5 b s 50 13 1 13 148h 6v 9 14 2 51 f5 2e 0 ' +
  '20 0 3 1 2 1 3 1 5 0 d 0 2 0 5 0 3 0 1u 0 5 1 9 0 8 0 t 0 5 0 6 0 2 2 8 0 9f 3 83 3 1f 7wd wyi g14 f3 15r 3 ' +
  '1ekd 3 1ekd 3 1ekd 3 1ekd 3 1ekd 3 1ekd 3 1ekd 3 1ekd 3 1ekd 3 1ekd 3 1ekd 3 0 2 t 2p 1egt';

/** B.1: mapped to nothing. */
export const NOTHING = '4t 0 iq 0 43b 0 5 2 1ku 2 2b 0 17s0 f 6o 0';

/** C.1.2, C.2.1, C.2.2, C.3 to C.9. */
export const PROHIBITED =
  '0 v 2o x io 1 po 0 1e 0 31t 0 b2 0 1ki f p 7 1c 4 7 5 329 b 5 0 yrk 4xr y9 v 7k 0 6y 6 15dg 7 96s 1 1ekf 1 ' +
  '1ekf 1 1ekf 1 1ekf 1 1ekf 1 1ekf 1 1ekf 1 1ekf 1 1ekf 1 1ekf 1 1ekf 1 1ekf 1 2 0 v 2n 1egv 2t4x';

/** D.1: R and AL. */
export const RIGHT_TO_LEFT =
  '14u 0 2 0 3 0 d q 6 4 13 0 4 0 2 p 6 a z 2 2 2s 8 0 8 1 k 4 2 d 3 0 2 q 2c 11 c 0 4ta 0 179q 0 2 9 2 c 2 4 2 0 ' +
  '2 1 2 1 2 2z y a2 j 1r 3 1h 15 c 38 4 2 3q';

/** D.2: L. */
export const LEFT_TO_RIGHT =
  '1t p 7 p 1c 0 b 0 5 0 6 m 2 u 2 88 2 h t 2l 3 8 3 6 f 1 f 4 a 0 3w 0 c 0 2 2 2 0 2 j 2 17 2 11 b 3m 8 1w 2 11 ' +
  '3 1 7 f y 11 3 6 2 12 2 0 oq 0 2 1g 4 3 9 3 4 0 8 9 3 c i 1 2 7 3 1 3 l 2 6 2 0 4 3 5 2 7 1 3 1 b 0 5 1 2 2 5 ' +
  'b 3 6 b 5 5 1 3 l 2 6 2 1 2 1 2 1 5 2 p 3 2 0 8 9 3 2 f 0 2 6 2 0 2 2 2 l 2 6 2 1 2 4 4 3 9 0 2 1 4 0 g 0 6 9 ' +
  'j 1 2 7 3 1 3 l 2 6 2 1 3 3 4 1 2 0 7 1 3 1 b 0 5 1 2 2 5 a j 0 2 5 4 2 2 3 4 1 2 0 2 1 4 1 4 2 4 7 2 2 5 1 2 ' +
  '1 4 2 2 2 b 0 g b f 2 2 7 2 2 2 m 2 9 2 4 8 3 s 1 5 9 j 1 2 7 2 2 2 m 2 9 2 4 5 0 2 4 3 1 2 1 a 1 8 0 2 1 5 9 ' +
  'j 1 2 7 2 2 2 m 2 f 5 2 6 2 2 2 b 0 9 1 5 9 j 1 2 h 4 n 2 8 2 0 3 6 9 2 7 7 j 2 d 1b 2 1 d 6 9 c 12 1 2 0 3 1 ' +
  '2 0 3 0 7 3 2 6 2 2 2 0 2 0 3 1 2 3 2 1 a 0 3 4 2 0 a 9 3 1 z n 3 q 2 0 2 0 6 9 2 x l 0 6 0 3 3 1f 7 2 5 3 0 ' +
  '1d x 2 4 2 1 2 0 5 0 7 0 8 n 21 11 b 14 3 0 5 2h 6 1v 6 29 7 6 2 1q 2 0 2 3 3 6 2 0 2 3 3 12 2 0 2 3 3 u 2 0 2 ' +
  '3 3 6 2 0 2 3 3 6 2 6 2 m 2 u 2 0 2 3 3 6 2 12 2 i 7 r 10 2c d hh b p 6 28 g c 2 3 f h 4 1 a h f c 2 2 g 1i 8 ' +
  '7 2 1 c 6 2 0 4 9 13 9 7 2f 9 14 120 4b 5 2h 7 l 3 5 3 11 3 5 3 7 2 0 2 0 2 0 2 u 3 1g 2 6 2 0 4 2 2 6 4 3 3 5 ' +
  '5 c 6 2 2 6 i 0 2r 0 e 0 3n 0 5 0 3 9 2 0 4 4 7 0 2 0 2 0 2 3 2 2 2 6 4 2 6 4 n z c3 1w r 0 7b 25 270 2 q 8 8 ' +
  '4 3 4 5 2d 7 2 2 2h 2 3 6 13 5 2l 2 13 1l 18 4 z t r 4 1d g b 5 1a 2 3a 5 2q 3 u 2 52t 23 g4l 2j wc 1h0 8mb ' +
  '1nh 565 3 1m 46 6 d 4 sq p 7 p c 2g 4 5 3 5 3 5 3 2 mc u 2 3 d q 52 11 3 11 148j 6t b 12 4 1o 4 8 h 1 8 t 5 1b ' +
  'f7 2c 2 1y 2 1 3 0 3 1 3 3 2 b 2 0 2 3 2 1 2 1s 2 3 3 7 2 6 2 r 2 3 2 4 2 0 4 6 2 9d 5 81 7xz wye g16 f1 gvz7 ' +
  '1ekd 3 1ekd';

/** Combining classes other than 0: runs of (gap from the last end, length less one, class). */
export const COMBINING =
  'lc k 6e 1 0 6g 1 3 64 1 0 6g 1 0 60 1 4 64 1 1 5m 1 3 64 1 1 5m 1 a 64 1 4 1 1 3 64 1 7 6e 1 0 6o 1 0 6e 1 2 ' +
  '64 1 2 6e 1 1 64 i 1 6i 1 0 6h 1 c 6e 7o 3 6e 7f 0 64 1 3 6e 1 0 64 1 2 6e 1 0 66 1 0 64 1 5 6e 2 4 64 1 1 6e ' +
  '1 0 64 1 1 6e 1 0 66 1 0 6c 1 0 6e 1 0 a 1 0 b 1 0 c 1 0 d 1 0 e 1 0 f 1 0 g 1 0 h 1 0 i 1 0 j 2 0 k 1 0 l 1 0 ' +
  'm 2 0 n 2 0 o 1 0 p 2 0 6e 3r 0 r 1 0 s 1 0 t 1 0 u 1 0 v 1 0 w 1 0 x 1 0 y 1 1 6e 1 0 64 r 0 z 2u 6 6e 3 3 6e ' +
  '1 0 64 1 0 6e 3 1 6e 2 0 64 1 1 6e 1 0 64 10 0 10 v 0 6e 1 0 64 1 1 6e 1 0 64 1 1 6e 1 2 64 1 0 6e 1 1 64 1 0 ' +
  '6e 1 0 64 1 2 6e 1 0 64 1 0 6e 1 0 64 1 0 6e 1 0 64 1 0 6e 1 0 64 1 1 6e du 0 7 h 0 9 4 0 6e 1 0 64 1 1 6e 2w ' +
  '0 7 h 0 9 33 0 7 h 0 9 33 0 7 h 0 9 33 0 7 h 0 9 3k 0 9 3k 0 9 8 0 2c 1 0 2j 3b 0 9 3k 0 9 3h 0 9 32 1 2v 1 0 ' +
  '9 e 3 2z 31 1 3a f 3 3e 25 1 64 s 0 64 2 0 64 2 0 60 1k 0 3l 1 0 3m 2 0 3o 6 3 3m 3 0 3m 2 1 6e 1 0 9 2 1 6e ' +
  '1r 0 64 35 0 7 2 0 9 1cr 0 9 w 0 9 4e 0 9 5z 0 6c 1lz 1 6e 1 1 1 1 3 6e 1 2 1 1 1 6e 5 0 6e 4 1 1 1 0 6e 1 0 ' +
  '64 1 0 6e 1 0 1 30g 0 62 1 0 6c 1 0 6g 1 0 66 1 1 68 2y 1 8 1404 0 q le 3 6e 15qa 1 60 1 2 1 4 0 6a 1 4 60 9 7 ' +
  '64 3 4 6e 1 1 64 v 3 6e';

/** B.2, one character to one: runs of (gap from the last start, count, stride, difference). */
export const FOLDED =
  '1t q 1 w 38 1 1 lj b n 1 w o 7 1 w 14 o 2 1 1e 3 2 1 7 8 2 1 h n 2 1 1a 1 1 -3d 1 3 2 1 6 1 1 -7g 2 1 1 5u 1 2 ' +
  '2 1 4 1 1 5q 1 1 1 1 2 2 1 5p 2 1 1 1 3 1 1 27 1 1 1 5m 1 1 1 5n 1 1 1 1 2 1 1 5p 1 1 1 5r 2 1 1 5v 1 1 1 5t 1 ' +
  '1 1 1 4 1 1 5v 1 1 1 5x 2 1 1 5y 1 3 2 1 6 1 1 62 1 1 1 1 2 1 1 62 3 1 1 1 2 1 1 62 1 1 1 1 2 2 1 61 2 2 2 1 4 ' +
  '1 1 63 1 1 1 1 4 1 1 1 8 1 1 2 1 1 1 1 2 1 1 2 1 1 1 1 2 1 1 2 1 9 2 1 j 9 2 1 j 1 1 2 1 2 2 1 4 1 1 -2p 1 1 1 ' +
  '-1k 1 k 2 1 14 1 1 -3m 2 9 2 1 83 1 1 38 1t 1 1 12 2 3 1 11 4 1 1 1s 2 2 1 1r 3 h 1 w i 9 1 w v 1 1 1 e 1 1 -u ' +
  '1 1 1 -p 1 1 1 -d 1 1 1 -6 1 1 1 -9 1 1 1 -f 1 1 1 -m 2 c 2 1 o 1 1 -1i 1 1 1 -1c 1 1 1 -1b 2 1 1 -1o 1 1 1 ' +
  '-1s b g 1 28 g w 1 w 28 h 2 1 16 r 2 1 1j 7 2 1 f j 2 1 14 1 1 1 8 8 2 1 1d 12 1 1c 4wf 23 2 1 4b 1 1 -1m 5 19 ' +
  '2 1 2w 8 1 -8 g 6 1 -8 g 8 1 -8 g 8 1 -8 g 6 1 -8 h 4 2 -8 f 8 1 -8 28 2 1 -8 2 2 1 -22 4 1 1 -5j9 a 4 1 -2e g ' +
  '2 1 -8 2 2 1 -2s e 2 1 -8 2 2 1 -34 2 1 1 -7 c 2 1 -3k 2 2 1 -3i 7c 1 1 -6fz 5 1 1 -624 4 1 1 -6g3 1 1 1 -6g4 ' +
  '1 1 1 -6g5 3 1 1 -6g7 1 1 1 -6g8 1 1 1 -6g6 3 1 1 -6g7 4 3 1 -6g9 3 1 1 -6ga 1 1 1 -6gb 7 1 1 -6ga 2 1 1 -5st ' +
  '2 1 1 -6ge 2 1 1 -6gv 1 1 1 -6di 1 2 1 -6h6 4 2 1 -6h7 3 1 1 -6h2 b 1 1 -5u3 1 1 1 -5tr 6 1 1 -6ht r g 1 g nq ' +
  'q 1 q 1757 q 1 w yn 12 1 14 1534 q 1 -2kdb 1g q 1 -2ker 1g q 1 -2kg7 1g 2 2 -2khn 3 1 1 -2khn 3 1 1 -2khn 3 2 ' +
  '1 -2khn 4 4 1 -2khn 5 8 1 -2khn y q 1 -2kj3 1g 2 1 -2kkj 3 4 1 -2kkj 6 8 1 -2kkj 9 7 1 -2kkj y 2 1 -2klz 3 4 1 ' +
  '-2klz 5 5 1 -2klz 6 1 1 -2klz 4 7 1 -2klz y q 1 -2knf 1g q 1 -2kov 1g q 1 -2kqb 1g q 1 -2krr 1g q 1 -2kt7 1g q ' +
  '1 -2kun 1k h 1 -2k8n h 1 1 -2k8x 1 7 1 -2k8n p 1 1 -2k9c f h 1 -2ka9 h 1 1 -2kaj 1 7 1 -2ka9 p 1 1 -2kay f h 1 ' +
  '-2kbv h 1 1 -2kc5 1 7 1 -2kbv p 1 1 -2kck f h 1 -2kdh h 1 1 -2kdr 1 7 1 -2kdh p 1 1 -2ke6 f h 1 -2kf3 h 1 1 ' +
  '-2kfd 1 7 1 -2kf3 p 1 1 -2kfs';

/** B.2, one character to several: code point, then what it becomes, all in base 36. */
export const FOLDED_TO_SEVERAL =
  '67 37 37,8g 2x lj,95 jg 32,ds 2y lo,oq w qh,pc qh lk ld,q8 qt lk ld,13b 12d 136,61i 2w mp,61j 38 lk,61k 3b lm,' +
  '61l 3d lm,61m 2p ji,66o qt lv,66q qt lv lc,66s qt lv ld,66u qt lv n6,680 64g qh,681 64h qh,682 64i qh,683 64j ' +
  'qh,684 64k qh,685 64l qh,686 64m qh,687 64n qh,688 64g qh,689 64h qh,68a 64i qh,68b 64j qh,68c 64k qh,68d 64l ' +
  'qh,68e 64m qh,68f 64n qh,68g 65c qh,68h 65d qh,68i 65e qh,68j 65f qh,68k 65g qh,68l 65h qh,68m 65i qh,68n 65j ' +
  'qh,68o 65c qh,68p 65d qh,68q 65e qh,68r 65f qh,68s 65g qh,68t 65h qh,68u 65i qh,68v 65j qh,68w 674 qh,68x 675 ' +
  'qh,68y 676 qh,68z 677 qh,690 678 qh,691 679 qh,692 67a qh,693 67b qh,694 674 qh,695 675 qh,696 676 qh,697 677 ' +
  'qh,698 678 qh,699 679 qh,69a 67a qh,69b 67b qh,69e 67k qh,69f q9 qh,69g q4 qh,69i q9 n6,69j q9 n6 qh,69o q9 qh' +
  ',69u 67o qh,69v qf qh,69w q6 qh,69y qf n6,69z qf n6 qh,6a4 qf qh,6aa qh lk lc,6ab qh lk ld,6ae qh n6,6af qh lk' +
  ' n6,6aq qt lk lc,6ar qt lk ld,6as qp lv,6au qt n6,6av qt lk n6,6b6 67w qh,6b7 qx qh,6b8 r2 qh,6ba qx n6,6bb qx' +
  ' n6 qh,6bg qx qh,6g8 36 37,6ir 4w 2r,6ix 4w 2u,6ja 32 33,6jk 37 31,6jl 38 2t 30,6jm 38 31,a5t 2w 34 2p,a5v 2p ' +
  '39,a5x 33 3a,a68 34 2p,a69 32 2p,a6a qk 2p,a6b 31 2p,a6c 2z 2p,a6d 2z 2q,a6e 31 2q,a6f 2v 2q,a6i 34 2u,a6j 32 ' +
  '2u,a6k qk 2u,a6o 2w 3e,a6p 2z 2w 3e,a6q 31 2w 3e,a6r 2v 2w 3e,a6s 38 2w 3e,a7d 34 2p,a7e 2z 34 2p,a7f 31 34 2p' +
  ',a7g 2v 34 2p,a7o 34 3a,a7p 32 3a,a7q qk 3a,a7r 31 3a,a7s 2z 3a,a7t 31 3a,a7u 34 3b,a7v 32 3b,a7w qk 3b,a7x 31' +
  ' 3b,a7y 2z 3b,a7z 31 3b,a80 2z qx,a81 31 qx,a83 2q 35,a87 2r 33 1a,a88 2s 2q,a89 2v 3d,a8b 2w 34,a8d 2z 2z,a8e' +
  ' 2z 31,a8n 34 2w,a8p 34 34 31,a8q 34 36,a8s 37 3a,a8t 3b 2q,1dkw 2u 2u,1dkx 2u 2x,1dky 2u 30,1dkz 2u 2u 2x,1dl' +
  '0 2u 2u 30,1dl1 37 38,1dl2 37 38,1dlf 12s 12u,1dlg 12s 12d,1dlh 12s 12j,1dli 132 12u,1dlj 12s 12l';
