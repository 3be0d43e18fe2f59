/** There is no plan: `type` is the failure's type for programs, the message says why and what to do. */
export class PlanRefused extends Error {
  override readonly name = 'PlanRefused';
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}
