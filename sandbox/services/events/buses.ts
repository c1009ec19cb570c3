import { AwsError } from '../../service.ts';
import type { PolicyText } from '../../auth/directory.ts';
import type { Archive } from './archives.ts';
import { Rules } from './rules.ts';

/** An event bus: where events of one account and region arrive, or what others send there. */
export interface Bus {
  readonly name: string;
  readonly arn: string;
  readonly account: string;
  readonly rules: Rules;
  /** By name. */
  readonly archives: Map<string, Archive>;
  /** Who else may send to it; `null`: the account alone. */
  policy: PolicyText | null;
}

export interface Place {
  readonly account: string;
  readonly region: string;
}

/** The buses of all accounts and regions. `default` is everywhere; others are made. */
export class Buses {
  readonly #byArn = new Map<string, Bus>();

  /**
   * @param bus - its name in that place, or its ARN
   * @throws {AwsError} `ResourceNotFoundException`
   */
  get(place: Place, bus = 'default'): Bus {
    const arn = bus.startsWith('arn:') ? bus : arnOf(place, bus);
    const found = this.#byArn.get(arn);
    if (found) return found;
    if (!arn.endsWith(':event-bus/default')) throw new AwsError('ResourceNotFoundException', `Event bus ${bus} does not exist.`);
    const [, , , region = '', account = ''] = arn.split(':');
    return this.#add({ account, region }, 'default');
  }

  /** @throws {AwsError} `ResourceAlreadyExistsException` */
  create(place: Place, name: string): Bus {
    if (this.#byArn.has(arnOf(place, name))) throw new AwsError('ResourceAlreadyExistsException', `Event bus ${name} already exists.`);
    return this.#add(place, name);
  }

  #add(place: Place, name: string): Bus {
    const bus: Bus = { name, arn: arnOf(place, name), account: place.account, rules: new Rules(place, name), archives: new Map(), policy: null };
    this.#byArn.set(bus.arn, bus);
    return bus;
  }
}

function arnOf({ account, region }: Place, name: string): string {
  return `arn:aws:events:${region}:${account}:event-bus/${name}`;
}
