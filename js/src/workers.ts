// Workers that compute beside the page; one that passes its time is ended.
import { done, type Ends, type Job } from "./jobs.ts";

/** Milliseconds for a job. */
const PATIENCE = 8000;

interface Waiting {
  readonly job: Job;
  readonly settle: (ends: Ends | null) => void;
}

interface Question {
  readonly id: number;
  readonly job: Job;
}

/** In a worker: answer the questions of the page. */
export function serve(scope: { onmessage: unknown; postMessage(answer: unknown): void }): void {
  scope.onmessage = ({ data: { id, job } }: MessageEvent<Question>) => {
    try {
      scope.postMessage({ id, ends: done(job) });
    } catch {
      scope.postMessage({ id, ends: null });
    }
  };
}

export class Workers {
  private readonly idle: Worker[] = [];
  private readonly busy = new Map<Worker, { waiting: Waiting; ended: number }>();
  private queue: Waiting[] = [];
  private readonly most = Math.max(1, Math.min(4, navigator.hardwareConcurrency || 2));
  private id = 0;

  /** Arguments:
   *   address: where the code of a worker is.
   *   refused: called when the browser, or a policy around the page, allows no workers.
   */
  constructor(
    private readonly address: string,
    private readonly refused: () => void,
  ) {}

  get count(): number {
    return this.most;
  }

  /** The job's result; null if it failed, was forgotten or took too long. */
  ask(job: Job): Promise<Ends | null> {
    return new Promise((settle) => {
      this.queue.push({ job, settle });
      this.next();
    });
  }

  /** Leave all that is under way. */
  forget(): void {
    for (const { settle } of this.queue) settle(null);
    this.queue = [];
    for (const worker of [...this.busy.keys()]) this.end(worker);
  }

  private next(): void {
    while (this.queue.length && this.busy.size < this.most) {
      const waiting = this.queue.shift()!;
      const worker = this.idle.pop() ?? this.begun();
      if (worker) this.give(worker, waiting);
      else waiting.settle(null);
    }
  }

  private begun(): Worker | null {
    try {
      return new Worker(this.address);
    } catch {
      this.refused();
      return null;
    }
  }

  private give(worker: Worker, waiting: Waiting): void {
    const id = ++this.id;
    this.busy.set(worker, { waiting, ended: window.setTimeout(() => this.end(worker), PATIENCE) });
    // What a job throws is answered; this is a worker that could not begin.
    worker.onerror = () => {
      this.refused();
      this.end(worker);
    };
    worker.onmessage = ({ data }: MessageEvent<{ id: number; ends: Ends | null }>) => {
      if (data.id !== id) return;
      clearTimeout(this.busy.get(worker)?.ended);
      this.busy.delete(worker);
      this.idle.push(worker);
      waiting.settle(data.ends);
      this.next();
    };
    worker.postMessage({ id, job: waiting.job } satisfies Question);
  }

  private end(worker: Worker): void {
    const known = this.busy.get(worker);
    if (!known) return;
    clearTimeout(known.ended);
    this.busy.delete(worker);
    worker.terminate();
    known.waiting.settle(null);
    this.next();
  }
}
