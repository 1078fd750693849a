// Workers that compute beside the page; one that passes its time is ended.
import { done, type Job, type Result } from "./jobs.ts";

/** Milliseconds for a job; and for one whose result is no longer wanted, after which its worker is ended. */
const [PATIENCE, GRACE] = [8000, 150];

interface Waiting {
  readonly job: Job;
  readonly settle: (result: Result<Job> | null) => void;
}

interface Question {
  readonly id: number;
  readonly job: Job;
}

interface Answer {
  readonly id: number;
  readonly result: Result<Job> | null;
}

/** In a worker: answer the questions of the page. */
export function serve(scope: { onmessage: unknown; postMessage(answer: Answer): void }): void {
  scope.onmessage = ({ data: { id, job } }: MessageEvent<Question>) => {
    try {
      scope.postMessage({ id, result: done(job) });
    } catch {
      scope.postMessage({ id, result: null });
    }
  };
}

/** A worker, and the job that it does. */
interface Place {
  worker: Worker | null;
  waiting: Waiting | null;
  deadline: number;
}

export class Workers {
  private queue: Waiting[] = [];
  private readonly places: readonly Place[];
  private id = 0;
  private isRefused = false;

  /** Arguments:
   *   address: where the code of a worker is.
   *   refused: called with each job where the browser, or a policy around the page, allows no workers.
   */
  constructor(
    private readonly address: string,
    private readonly refused: () => void,
  ) {
    const count = Math.max(1, Math.min(4, navigator.hardwareConcurrency || 2));
    this.places = Array.from({ length: count }, () => ({ worker: null, waiting: null, deadline: 0 }));
  }

  get count(): number {
    return this.places.length;
  }

  private begin(place: Place): void {
    if (place.worker || this.isRefused) return;
    try {
      place.worker = new Worker(this.address);
      // What a job throws is answered; this is a worker that could not begin.
      place.worker.onerror = () => this.refuse(place);
    } catch {
      this.refuse(place);
    }
  }

  private refuse(place: Place): void {
    this.isRefused = true;
    if (place.waiting) this.refused();
    this.end(place);
  }

  /** The job's result; null if it failed, was forgotten or took too long. */
  ask<J extends Job>(job: J): Promise<Result<J> | null> {
    return new Promise((settle) => {
      this.queue.push({ job, settle: settle as Waiting["settle"] });
      this.next();
    });
  }

  /** Leave all jobs of a kind: those that wait, and those under way, whose workers may soon do others. */
  forget(...kinds: Job["kind"][]): void {
    const isOne = ({ job }: Waiting) => kinds.includes(job.kind);
    for (const { settle } of this.queue.filter(isOne)) settle(null);
    this.queue = this.queue.filter((waiting) => !isOne(waiting));
    for (const place of this.places) {
      if (!place.waiting || !isOne(place.waiting)) continue;
      place.waiting.settle(null);
      this.expect(place, GRACE);
    }
  }

  private next(): void {
    for (const place of this.places) {
      if (place.waiting) continue;
      const waiting = this.queue.shift();
      if (!waiting) return;
      this.give(place, waiting);
    }
  }

  private give(place: Place, waiting: Waiting): void {
    const id = ++this.id;
    this.begin(place);
    const { worker } = place;
    if (!worker) {
      this.refused();
      waiting.settle(null);
      return;
    }
    place.waiting = waiting;
    this.expect(place, PATIENCE);
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (data.id === id) this.settle(place, data.result);
    };
    worker.postMessage({ id, job: waiting.job } satisfies Question);
  }

  /** End the worker unless it answers within so many milliseconds. */
  private expect(place: Place, within: number): void {
    clearTimeout(place.deadline);
    place.deadline = window.setTimeout(() => this.end(place), within);
  }

  private settle(place: Place, result: Result<Job> | null): void {
    clearTimeout(place.deadline);
    const { waiting } = place;
    place.waiting = null;
    waiting?.settle(result);
    this.next();
  }

  private end(place: Place): void {
    place.worker?.terminate();
    place.worker = null;
    this.settle(place, null);
  }
}
