namespace Ferry.TestKit;

/// <summary>A clock that a simulation advances while others set timers on it. Thread-safe; callbacks run on the thread pool, as those of real timers do.</summary>
/// <remarks>
/// FakeTimeProvider calls back inside whoever sets or advances, and lets nobody else call back meanwhile: where a callback goes on with the work of the
/// system under test, one that waits for a second timer waits for ever.
/// </remarks>
public sealed class SteppedClock : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock _gate = new();
    private readonly HashSet<SteppedTimer> _timers = [];
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => Start.AddTicks(GetTimestamp());

    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    /// <summary>Moves time on and sets off what is due.</summary>
    public void Advance(TimeSpan step)
    {
        SteppedTimer[] due;
        lock (_gate)
        {
            Volatile.Write(ref _ticks, _ticks + step.Ticks);
            due = [.. _timers.Where(timer => timer.DueTicks <= _ticks).OrderBy(timer => timer.DueTicks)];
            foreach (var timer in due)
            {
                timer.DueTicks = timer.PeriodTicks > 0 ? _ticks + timer.PeriodTicks : long.MaxValue;
            }
        }
        foreach (var timer in due)
        {
            timer.Fire();
        }
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SteppedTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private sealed class SteppedTimer(SteppedClock clock, TimerCallback callback, object? state) : ITimer
    {
        public long DueTicks { get; set; } = long.MaxValue;

        public long PeriodTicks { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var isNow = dueTime == TimeSpan.Zero;
            lock (clock._gate)
            {
                PeriodTicks = period > TimeSpan.Zero ? period.Ticks : 0;
                var next = isNow ? PeriodTicks : dueTime.Ticks;
                DueTicks = next > 0 ? clock._ticks + next : long.MaxValue;
                clock._timers.Add(this);
            }
            if (isNow)
            {
                Fire();
            }
            return true;
        }

        public void Fire() => ThreadPool.UnsafeQueueUserWorkItem(static timer => timer.Call(), this, preferLocal: false);

        public void Dispose()
        {
            lock (clock._gate)
            {
                clock._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Call() => callback(state);
    }
}
