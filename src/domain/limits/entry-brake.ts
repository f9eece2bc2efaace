import { allow, type Control, deny, type Subject } from './limit.ts';

const subject: Subject = { control: 'entry_brake', code: 'WORKER_LAGGING', scope: 'worker' };

/** Whether the process that decides is fit to take on risk: see `EntryBrake`. */
export const entryBrake: Control = {
  name: 'entry_brake',
  onEntry: ({ brake }) => [
    brake === null ? allow(subject, 'fit to react in time') : deny({ ...subject, code: brake.code }, brake.note),
  ],
};
