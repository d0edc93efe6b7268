/** As much of XML as nginx's status page has: elements and text, no attributes. */
export type Element = {
  readonly tag: string;
  text: string;
  readonly children: Element[];
};

const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
};
const TOKEN = /<\?[^>]*\?>|<(?<close>\/?)(?<tag>[\w-]+)[^>]*?(?<empty>\/?)>|(?<text>[^<]+)/g;

/** The document's root, holding its top elements. An unfinished document is an error. */
export const element = (xml: string): Element => {
  const root: Element = { tag: "", text: "", children: [] };
  const open: Element[] = [root];
  for (const { groups } of xml.matchAll(TOKEN)) {
    const current = open.at(-1) ?? root;
    const { close, tag, empty, text } = groups ?? {};
    if (text !== undefined) {
      current.text += text.replaceAll(/&\w+;/g, (entity) => ENTITIES[entity] ?? entity);
    } else if (tag !== undefined && close === "/") {
      if (open.length < 2 || open.pop()?.tag !== tag) throw new Error(`unexpected </${tag}>`);
    } else if (tag !== undefined) {
      const child: Element = { tag, text: "", children: [] };
      current.children.push(child);
      if (empty !== "/") open.push(child);
    }
  }
  if (open.length > 1) throw new Error(`unfinished <${open.at(-1)?.tag}>`);
  return root;
};

export const all = (parent: Element, tag: string): Element[] =>
  parent.children.filter((child) => child.tag === tag);

export const textIn = (parent: Element, tag: string): string =>
  all(parent, tag)[0]?.text.trim() ?? "";

export const numberIn = (parent: Element, tag: string): number => {
  const value = Number(textIn(parent, tag));
  return Number.isFinite(value) ? value : 0;
};
