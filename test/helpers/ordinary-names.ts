/**
 * Names as people have them on forums, made by code from given names and words of several languages and scripts: always the
 * same ones. Members and guests share given names, as in life, and nobody is called quite like another.
 */
type Language = { readonly given: string; readonly words: string };

const LANGUAGES: readonly Language[] = [
  {
    given: 'Anna Ben Carol Dave Emma Frank Grace Henry Kate Oscar',
    words: 'Storm Fox River Moon Baker Hunter Stone Wolf',
  },
  { given: 'Jürgen Käthe Uwe Heike Bernd Götz Änne Horst', words: 'Bäcker Fuß Wald Kröte Sturm Meyer Groß Kühn' },
  {
    given: 'René Zoé Hugo Chloé Benoît Aude Gérard Maëlle',
    words: 'Forêt Dubois Garçon Cœur Lefèvre Renard Noël Château',
  },
  { given: 'José Begoña Paco Nuria Ramón Teresa Íñigo Pepe', words: 'Muñoz Torres Peña Cruz Marqués Rubio Vega Soto' },
  { given: 'Łukasz Żaneta Bożena Paweł Stanisław Kasia Grzegorz', words: 'Wąs Żuraw Kowal Nowak Dąb Sęk Wróbel' },
  { given: 'Jiří Šárka Tomáš Žofie Václav Zdeněk Hana Ondřej', words: 'Dvořák Novák Růžička Kříž Beneš Pokorný Vlk' },
  { given: 'Ayşe Çağrı Gökhan Özlem Şule Yusuf Umut Ebru', words: 'Yılmaz Şahin Öztürk Çelik Kaya Doğan Kurt Aydın' },
  { given: 'Пётр Жанна Фёдор Дарья Юрий Вера Борис Элла', words: 'Жуков Щукин Волк Гром Мороз Цветков Яблоко Шум' },
  { given: 'Тарас Оксана Євген Ганна Богдан Леся Назар', words: 'Шевченко Мельник Їжак Козак Бойко Ґудзь Кравець' },
  {
    given: 'Γιώργος Ελένη Νίκος Φωτεινή Δημήτρης Ζωή Πέτρος',
    words: 'Λύκος Θάλασσα Μαύρος Ψαράς Ξένος Κόκκινος Ήλιος',
  },
  { given: 'דוד רחל משה שרה יוסף מרים נועם טל', words: 'כהן לוי פרץ שלום אור גבאי דגן רוזן' },
  { given: 'محمد فاطمة يوسف ليلى خالد سعاد طارق', words: 'حداد نجار صقر بحر قمر شريف غزال' },
  { given: 'राम सीता अनिल मीरा गोपाल कविता विजय', words: 'शर्मा वर्मा गुप्ता यादव जोशी नायर पटेल' },
  { given: 'สมชาย สมหญิง วิชัย มาลี ประเสริฐ สุดา', words: 'ใจดี แสงทอง ทองคำ ศรีสุข บุญมา รักไทย' },
  { given: 'さくら ゆうき はは ぱぱ ばば ハナコ タロウ 健太', words: '山田 佐藤 鈴木 田中 きつね ネコ 渡辺' },
  { given: '小明 美玲 建国 秀英 志强 丽华', words: '王 李 张 刘 陈 杨' },
  { given: '민준 서연 지훈 하은 도윤 수빈', words: '김 이 박 최 정 강' },
  { given: 'Nguyễn Thảo Hương Dũng Phượng Quân Tuấn Vy', words: 'Trần Lê Phạm Hoàng Đặng Bùi Đỗ' },
  { given: 'Åse Bjørn Søren Þóra Øystein Gunnar Ragnhild', words: 'Ström Åkesson Bjørk Ðal Lund Skov Elf Holm' },
];

const split = (text: string): readonly string[] => text.split(' ');

/** Members: given names alone, with a word, with a year. */
export function ordinaryMembers(): readonly string[] {
  return LANGUAGES.flatMap(({ given, words }) => {
    const half = split(words).filter((_, index) => index % 2 === 0);
    return split(given).flatMap((name, index) => [
      name,
      ...half.flatMap((word) => [`${name} ${word}`, `${word}.${name}`]),
      `${name}${1962 + index * 3}`,
    ]);
  });
}

/** So many others, none of them a member. */
export function ordinaryGuests(count: number): readonly string[] {
  const all = LANGUAGES.map(({ given, words }) => {
    const half = split(words).filter((_, index) => index % 2 === 1);
    return split(given).flatMap((name, index) => [
      ...half.flatMap((word) => [`${name} ${word}`, `${word}_${name}`, `${name}-${word}`.toLowerCase()]),
      `${name}_${1993 + index}`,
      `the ${name}`,
      `${name}²⁴`,
    ]);
  });
  // One of each language in turn, so that the first thousand hold all.
  const longest = Math.max(...all.map(({ length }) => length));
  const mixed = Array.from({ length: longest }, (_, at) => all.flatMap((names) => names.slice(at, at + 1))).flat();
  return mixed.slice(0, count);
}
