// The few signs of the page: paths of Lucide (ISC licence).

const PATHS = {
  plus: 'M5 12h14M12 5v14',
  send: 'M12 19V5M5 12l7-7 7 7',
  stop: 'M7 7h10v10H7z',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  edit: 'M12 20h9M16.5 3.5a2.1 2.1 0 0 1 3 3L7 19l-4 1 1-4z',
  again: 'M3 12a9 9 0 1 0 3-6.7L3 8M3 3v5h5',
  left: 'M15 18l-6-6 6-6',
  right: 'M9 18l6-6-6-6',
  down: 'M12 5v14M19 12l-7 7-7-7',
  more: 'M6 9l6 6 6-6',
  search: 'M11 19a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM21 21l-4.3-4.3',
  menu: 'M4 6h16M4 12h16M4 18h16',
  dots: 'M5 12h.01M12 12h.01M19 12h.01',
  info: 'M12 22a10 10 0 1 0 0-20 10 10 0 0 0 0 20zM12 16v-4M12 8h.01',
  close: 'M18 6L6 18M6 6l12 12',
  image: 'M4 4h16v16H4zM4 16l5-5 5 5M14 13l2-2 4 4M9 8.5h.01',
  agent: 'M5 9h14v10H5zM12 5v4M9 13.5v1M15 13.5v1M2 13v3M22 13v3M12 5h.01',
  options: 'M4 8h9M17 8h3M4 16h3M11 16h9M15 6v4M9 14v4',
  eye: 'M2 12s3.5-7 10-7 10 7 10 7-3.5 7-10 7-10-7-10-7zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  warning: 'M12 3L2 21h20zM12 10v5M12 18h.01',
  tool: 'M14.7 6.3a4 4 0 0 0-5.4 5.4L3 18l3 3 6.3-6.3a4 4 0 0 0 5.4-5.4L15 12l-3-3z',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
