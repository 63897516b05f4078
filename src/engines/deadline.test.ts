import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startDeadline } from './deadline.ts';

describe('startDeadline', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => vi.useRealTimers());

  it('expires once when nobody extends it', () => {
    const onExpire = vi.fn();
    startDeadline(1000, onExpire);
    vi.advanceTimersByTime(999);
    expect(onExpire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(10_000);
    expect(onExpire).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('holds as long as it is extended in time, and its last wait is a whole one', () => {
    const onExpire = vi.fn();
    const deadline = startDeadline(1000, onExpire);
    for (let sign = 0; sign < 50; sign += 1) {
      vi.advanceTimersByTime(900);
      deadline.extend(1000);
    }
    vi.advanceTimersByTime(999);
    expect(onExpire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onExpire).toHaveBeenCalledTimes(1);
  });

  it('takes a shorter limit at once, and a longer one too', () => {
    const onExpire = vi.fn();
    const deadline = startDeadline(600_000, onExpire);
    vi.advanceTimersByTime(5000);
    deadline.extend(120);
    vi.advanceTimersByTime(119);
    expect(onExpire).not.toHaveBeenCalled();
    deadline.extend(600_000);
    vi.advanceTimersByTime(599_999);
    expect(onExpire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onExpire).toHaveBeenCalledTimes(1);
  });

  it('leaves no timer behind when it is stopped', () => {
    const onExpire = vi.fn();
    const deadline = startDeadline(1000, onExpire);
    deadline.extend(500);
    deadline.extend(2000);
    deadline.stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(10_000);
    expect(onExpire).not.toHaveBeenCalled();
  });
});
