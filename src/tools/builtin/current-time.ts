// `current_time`: models know no clock.
import { BuiltinFault, type BuiltinTool } from './builtin-tool.ts';

export const currentTime: BuiltinTool = {
  description: 'Tell the current date and time.',
  inputSchema: {
    type: 'object',
    properties: {
      timezone: {
        type: 'string',
        maxLength: 100,
        description: 'Such as Europe/Berlin or UTC. Leave it out for the time zone of the server.',
      },
    },
    additionalProperties: false,
  },
  readOnly: true,
  repeatable: true,
  run: async ({ timezone }) => timeText(new Date(), typeof timezone === 'string' ? timezone.trim() : ''),
};

/** `Friday, 27 November 2026, 04:10:22 (Europe/Berlin); ISO 8601: 2026-11-27T04:10:22+01:00` */
function timeText(now: Date, zone: string): string {
  const parts = partsOf(now, zone === '' ? undefined : zone);
  const { weekday, day, month, year, hour, minute, second, offset, timeZone } = parts;
  const monthNumber = String(MONTHS.indexOf(month) + 1).padStart(2, '0');
  const time = `${hour}:${minute}:${second}`;
  const iso = `${year}-${monthNumber}-${day.padStart(2, '0')}T${time}${offset}`;
  return `${weekday}, ${day} ${month} ${year}, ${time} (${timeZone}); ISO 8601: ${iso}`;
}

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

function partsOf(now: Date, timeZone: string | undefined) {
  const format = formatOf(timeZone);
  const found = Object.fromEntries(format.formatToParts(now).map(({ type, value }) => [type, value]));
  const part = (name: Intl.DateTimeFormatPartTypes) => found[name] ?? '';
  return {
    weekday: part('weekday'),
    day: part('day'),
    month: part('month'),
    year: part('year'),
    hour: part('hour'),
    minute: part('minute'),
    second: part('second'),
    // "GMT+01:00", and "GMT" alone for none.
    offset: part('timeZoneName').replace('GMT', '') || '+00:00',
    // As it was asked for: the system may know it by an older name.
    timeZone: timeZone ?? format.resolvedOptions().timeZone,
  };
}

function formatOf(timeZone: string | undefined): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-GB', {
      timeZone,
      dateStyle: undefined,
      weekday: 'long',
      day: 'numeric',
      month: 'long',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'longOffset',
    });
  } catch {
    throw new BuiltinFault(
      `There is no time zone '${timeZone}'. Name one as Europe/Berlin, America/New_York or UTC.`,
    );
  }
}
