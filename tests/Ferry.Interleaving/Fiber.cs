namespace Ferry.Interleaving;

/// <summary>One of the threads of a scenario. It runs only while it has the turn.</summary>
internal sealed class Fiber(int number, Action body)
{
    [ThreadStatic]
    private static Fiber? _current;

    /// <summary>Null on a thread that the explorer does not steer.</summary>
    public static Fiber? Current => _current;

    public int Number { get; } = number;

    public Exception? Error { get; private set; }

    public bool IsFinished { get; private set; }

    /// <summary>What must hold before it can go on; null when it can.</summary>
    public Func<bool>? WaitsFor { get; set; }

    public bool CanRun => !IsFinished && (WaitsFor is null || WaitsFor());

    public SemaphoreSlim Turn { get; } = new(0);

    /// <summary>The thread's whole life: waits for its first turn, runs, hands the last one on.</summary>
    public void Live(Schedule schedule)
    {
        _current = this;
        Turn.Wait();
        try
        {
            schedule.ThrowIfCalledOff();
            body();
        }
        catch (ScheduleCalledOffException)
        {
            // Another fiber failed first.
        }
        catch (Exception error) // The edge: a scenario that throws has found something.
        {
            Error = error;
        }
        IsFinished = true;
        _current = null;
        schedule.Finished(this);
    }
}
