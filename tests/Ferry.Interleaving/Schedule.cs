namespace Ferry.Interleaving;

/// <summary>One run of a scenario's threads, one at a time, in an order that a list of choices gives and that this writes on.</summary>
/// <param name="choices">At every point at which more than one thread could go on: which one went, and how many could. Longer afterwards.</param>
/// <param name="preemptionsMax">How often a thread that could go on is stopped for another.</param>
/// <param name="draw">Decides where the list ends; null: the first.</param>
internal sealed class Schedule(IReadOnlyList<Action> bodies, List<(int Chosen, int Options)> choices, int preemptionsMax, Func<int, int>? draw = null) : IDisposable
{
    private const int PointsMax = 20_000; // A scenario passes some hundred; more is a loop that never ends.

    private readonly Fiber[] _fibers = [.. bodies.Select((body, number) => new Fiber(number, body))];
    private readonly ManualResetEventSlim _over = new();
    private int _choice;
    private int _preemptions;
    private int _points;
    private bool _calledOff;

    public string? Failure { get; private set; }

    /// <summary>Runs all threads to their end.</summary>
    public void Run()
    {
        var threads = Array.ConvertAll(_fibers, fiber => new Thread(() => fiber.Live(this), 256 << 10) { IsBackground = true });
        Explorer.Running = this;
        Array.ForEach(threads, thread => thread.Start());
        Pass(null);
        _over.Wait();
        Explorer.Running = null;
        Array.ForEach(threads, thread => thread.Join());
        if (Array.Find(_fibers, fiber => fiber.Error is not null) is { } failed)
        {
            Failure = $"thread {failed.Number}: {failed.Error}";
        }
    }

    public void Dispose()
    {
        _over.Dispose();
        Array.ForEach(_fibers, fiber => fiber.Turn.Dispose());
    }

    public void ThrowIfCalledOff()
    {
        if (_calledOff)
        {
            throw new ScheduleCalledOffException();
        }
    }

    /// <summary>The running thread is about to do what others may see; another may go first.</summary>
    public void Point(Fiber fiber)
    {
        if (_calledOff)
        {
            return; // It unwinds; its scopes close undisturbed.
        }
        if (++_points > PointsMax)
        {
            throw new InvalidOperationException($"More than {PointsMax} points in one schedule: something does not end.");
        }
        Pass(fiber);
    }

    public void Finished(Fiber fiber)
    {
        _calledOff |= fiber.Error is not null;
        Pass(fiber);
    }

    /// <summary>Gives the turn to the next thread, and waits for it to come back.</summary>
    private void Pass(Fiber? from)
    {
        var next = Choose(from);
        if (next is null)
        {
            _over.Set();
            return;
        }
        if (ReferenceEquals(next, from))
        {
            return;
        }
        next.Turn.Release();
        if (from is { IsFinished: false })
        {
            from.Turn.Wait();
            ThrowIfCalledOff();
        }
    }

    private Fiber? Choose(Fiber? from)
    {
        if (_calledOff)
        {
            return Array.Find(_fibers, fiber => !fiber.IsFinished);
        }
        var able = new List<Fiber>(_fibers.Length);
        if (from is { CanRun: true })
        {
            able.Add(from); // First, so that the first schedule of all has no pre-emption.
        }
        var mayPreempt = able.Count == 0 || _preemptions < preemptionsMax;
        able.AddRange(_fibers.Where(fiber => mayPreempt && !ReferenceEquals(fiber, from) && fiber.CanRun));
        if (able.Count == 0)
        {
            if (Array.Exists(_fibers, fiber => !fiber.IsFinished))
            {
                Failure = "deadlock: every thread that has not ended waits";
                _calledOff = true;
                return Array.Find(_fibers, fiber => !fiber.IsFinished);
            }
            return null;
        }
        var chosen = able.Count == 1 ? able[0] : able[Decide(able.Count)];
        _preemptions += from is { CanRun: true } && !ReferenceEquals(chosen, from) ? 1 : 0;
        return chosen;
    }

    private int Decide(int options)
    {
        if (_choice == choices.Count)
        {
            choices.Add((draw?.Invoke(options) ?? 0, options));
        }
        return choices[_choice++].Chosen;
    }
}
