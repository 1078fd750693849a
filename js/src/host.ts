// The notebook around the page: what is shown is kept there, and Python is asked there.

/** What Python says to a question: plain data and arrays, or why it has no answer. */
export interface Answer {
  readonly kind: string;
  readonly id: number;
  readonly error?: string;
  readonly arrays: readonly Float64Array[];
  readonly [name: string]: unknown;
}

interface Question {
  readonly about: Record<string, unknown>;
  readonly settle: (answer: Answer) => void;
}

export class Host {
  private id = 0;
  /** Of each kind, the question that is being answered, and the one that is asked next. */
  private readonly open = new Map<string, Question & { readonly id: number }>();
  private readonly next = new Map<string, Question>();

  /** Arguments:
   *   show: called with a link to what is to be shown.
   */
  constructor(show: (link: string) => void) {
    addEventListener("message", ({ source, data }: MessageEvent<Answer & { link: string }>) => {
      if (source !== parent) return;
      if (data.kind === "show") show(data.link);
      else this.settle(data);
    });
  }

  /** Ask Python. While it answers, of further questions of the kind only the last is kept. */
  ask(kind: string, about: Record<string, unknown>, settle: (answer: Answer) => void): void {
    this.next.set(kind, { about, settle });
    if (!this.open.has(kind)) this.send(kind);
  }

  /** Tell the notebook. */
  tell(kind: string, about: Record<string, unknown>): void {
    parent.postMessage({ kind, ...about }, "*");
  }

  private send(kind: string): void {
    const question = this.next.get(kind);
    if (!question) return;
    this.next.delete(kind);
    const id = ++this.id;
    this.open.set(kind, { ...question, id });
    this.tell("ask", { question: { ...question.about, kind, id } });
  }

  private settle(answer: Answer): void {
    const known = this.open.get(answer.kind);
    if (known?.id !== answer.id) return;
    this.open.delete(answer.kind);
    known.settle(answer);
    this.send(answer.kind);
  }
}
