import { fit, textWidth } from "./text-width.ts";

export type Column<Row> = {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** Left out on a terminal too narrow for all; the highest goes first. Without it the column stays. */
  readonly expendable?: number;
  readonly paint?: (row: Row, text: string) => string;
};

const GAP = 2;
/** What the last column, which takes what room there is, should not fall below. */
const LAST_AT_LEAST = 16;

type Laid<Row> = {
  readonly column: Column<Row>;
  readonly cells: readonly string[];
  readonly width: number;
};

const total = (columns: ReadonlyArray<Laid<never>>): number =>
  columns.reduce((sum, { width }, at) => {
    const last = at === columns.length - 1;
    return sum + (last ? Math.min(width, LAST_AT_LEAST) : width + GAP);
  }, 0);

const dropOne = <Row>(columns: ReadonlyArray<Laid<Row>>): ReadonlyArray<Laid<Row>> => {
  const most = Math.max(...columns.map(({ column }) => column.expendable ?? 0));
  return most === 0 ? columns : columns.filter(({ column }) => column.expendable !== most);
};

/** Lines of a table; none is wider than `room`, and null is room without end. */
export const table = <Row>(
  columns: ReadonlyArray<Column<Row>>,
  rows: readonly Row[],
  room: number | null,
): string[] => {
  let laid: ReadonlyArray<Laid<Row>> = columns.map((column) => {
    const cells = rows.map((row) => column.text(row));
    return { column, cells, width: Math.max(...[column.title, ...cells].map(textWidth)) };
  });
  if (room !== null) {
    for (let fewer = dropOne(laid); total(laid) > room && fewer !== laid; fewer = dropOne(laid)) {
      laid = fewer;
    }
  }
  const heading = line(laid, (each) => each.column.title, room, null);
  const body = rows.map((row, at) => line(laid, (each) => each.cells[at] ?? "", room, row));
  return [heading, ...body];
};

const line = <Row>(
  laid: ReadonlyArray<Laid<Row>>,
  cell: (each: Laid<Row>) => string,
  room: number | null,
  row: Row | null,
): string => {
  let text = "";
  let used = 0;
  for (const [at, each] of laid.entries()) {
    const last = at === laid.length - 1;
    const content = room === null ? cell(each) : fit(cell(each), room - used);
    const paint = row === null ? undefined : each.column.paint;
    text += row !== null && paint !== undefined ? paint(row, content) : content;
    used += textWidth(content);
    const gap = last ? 0 : each.width - textWidth(content) + GAP;
    text += " ".repeat(room === null ? gap : Math.max(0, Math.min(gap, room - used)));
    used += gap;
  }
  return text.trimEnd();
};
