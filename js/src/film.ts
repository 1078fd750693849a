// The playing as a film, which the browser records.

const TYPES = ["video/webm;codecs=vp9", "video/webm;codecs=vp8", "video/webm", "video/mp4"];
const FRAMES_PER_SECOND = 30;
/** Seconds that a film takes at most, and for which its end is held. */
const [LONGEST, HELD] = [12, 1];
const BITS_PER_SECOND = 8e6;

/** The kind of film that the browser records; null if it records none. */
export function filmType(): string | null {
  if (typeof MediaRecorder === "undefined" || !HTMLCanvasElement.prototype.captureStream) return null;
  return TYPES.find((type) => MediaRecorder.isTypeSupported(type)) ?? null;
}

/** The steps that the frames show: evenly from the first to the last, then the last for a while. */
export function framesOf(last: number, stepsPerSecond: number): number[] {
  const seconds = Math.min(LONGEST, last / stepsPerSecond);
  const count = Math.max(2, Math.round(seconds * FRAMES_PER_SECOND));
  const moving = Array.from({ length: count }, (_, k) => Math.round((k / (count - 1)) * last));
  return [...moving, ...Array<number>(HELD * FRAMES_PER_SECOND).fill(last)];
}

/** Record a film; null if it was called off.
 *
 * Arguments:
 *   frames: the step of each frame.
 *   picture: draws a step.
 *   told: called with the share that is recorded.
 *   cancelled: whether it is called off.
 */
export async function record(
  frames: readonly number[],
  picture: (step: number) => HTMLCanvasElement,
  told: (share: number) => void,
  cancelled: () => boolean,
): Promise<Blob | null> {
  const canvas = document.createElement("canvas");
  const ink = canvas.getContext("2d")!;
  const first = picture(frames[0]!);
  [canvas.width, canvas.height] = [first.width, first.height];
  ink.drawImage(first, 0, 0);
  const type = filmType()!;
  const recorder = new MediaRecorder(canvas.captureStream(FRAMES_PER_SECOND), {
    mimeType: type,
    videoBitsPerSecond: BITS_PER_SECOND,
  });
  const parts: Blob[] = [];
  recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
  const stopped = new Promise<unknown>((resolve) => recorder.addEventListener("stop", resolve));
  recorder.start();
  const begun = performance.now();
  for (const [k, step] of frames.entries()) {
    if (cancelled()) break;
    // The window may have another size by now; the film keeps that of its first frame.
    ink.drawImage(picture(step), 0, 0, canvas.width, canvas.height);
    told((k + 1) / frames.length);
    const due = begun + ((k + 1) * 1000) / FRAMES_PER_SECOND;
    await new Promise((resolve) => setTimeout(resolve, due - performance.now()));
  }
  recorder.stop();
  await stopped;
  return cancelled() ? null : new Blob(parts, { type: type.split(";")[0]! });
}
