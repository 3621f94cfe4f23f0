/** An answer to be checked; `before` is what earlier cells of the notebook do. */
export interface Question {
  id: string;
  before: string;
  code: string;
  /** what the notebook passes to `check` after the id, as it stands there */
  answers: string;
}

/** What the worker says of it: that it runs now, and then how it did. */
export interface Verdict {
  state: "Running" | "Not yet" | "Almost" | "Correct" | "Failed";
  message: string;
  printed: string;
}
