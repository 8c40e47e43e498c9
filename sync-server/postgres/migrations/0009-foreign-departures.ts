/**
 * People of another platform who deleted their account, for a day, by a hash: a token that they had before makes them no new one (G5, S6).
 */
export const foreignDepartures = {
  name: '0009-foreign-departures',
  up: `
create table foreign_departures (
  person bytea primary key,
  at timestamptz not null
);
`,
};
