namespace Ferry.Interleaving;

/// <summary>Runs a scenario under every order of its threads that has no more than so many pre-emptions, and says which broke it.</summary>
/// <remarks>
/// Iterative context bounding (Musuvathi, Qadeer: PLDI 2007): most races need one or two pre-emptions, and with that bound all orders of a few hundred points
/// can be tried. One thread runs at a time, so what is proved is proved for sequentially consistent memory; the fences that the code relies on for less are
/// argued in its comments.
/// </remarks>
public static class Explorer
{
    /// <summary>The schedule under way; scenarios are explored one after the other.</summary>
    internal static Schedule? Running { get; set; }

    /// <param name="schedulesMax">Bound of the exploration; the report says whether it was reached.</param>
    public static ExplorationReport Explore(Func<Scenario> create, int preemptionsMax, int schedulesMax)
    {
        var choices = new List<(int Chosen, int Options)>();
        for (var schedules = 1; ; schedules++)
        {
            var scenario = create();
            using var schedule = new Schedule(scenario.Threads, choices, preemptionsMax);
            schedule.Run();
            if (schedule.Failure is { } failure || (failure = Check(scenario)) is not null)
            {
                return new ExplorationReport(schedules, IsComplete: false, $"{failure} (schedule {string.Join(',', choices.Select(choice => choice.Chosen))})");
            }
            if (!TryAdvance(choices))
            {
                return new ExplorationReport(schedules, IsComplete: true, null);
            }
            if (schedules == schedulesMax)
            {
                return new ExplorationReport(schedules, IsComplete: false, null);
            }
        }
    }

    /// <summary>Runs a scenario under orders drawn at random, with more pre-emptions than can all be tried.</summary>
    /// <param name="seed">The same seed draws the same orders.</param>
    public static ExplorationReport Sample(Func<Scenario> create, int preemptionsMax, int schedules, int seed)
    {
        var random = new Random(seed);
        for (var count = 1; count <= schedules; count++)
        {
            var scenario = create();
            var choices = new List<(int Chosen, int Options)>();
            // Most points pass on without a switch, or all pre-emptions would fall on the first few.
            using var schedule = new Schedule(scenario.Threads, choices, preemptionsMax, options => random.Next(16) == 0 ? random.Next(options) : 0);
            schedule.Run();
            if (schedule.Failure is { } failure || (failure = Check(scenario)) is not null)
            {
                return new ExplorationReport(count, IsComplete: false, $"{failure} (seed {seed}, schedule {string.Join(',', choices.Select(choice => choice.Chosen))})");
            }
        }
        return new ExplorationReport(schedules, IsComplete: false, null);
    }

    /// <summary>A point where another thread may go first. Nothing on a thread that is not explored.</summary>
    internal static void Point()
    {
        if (Fiber.Current is { } fiber)
        {
            Running!.Point(fiber);
        }
    }

    internal static void WaitUntil(Func<bool> holds)
    {
        if (Fiber.Current is not { } fiber)
        {
            throw new InvalidOperationException("A lock is held that nobody will leave: a scenario's thread ended inside it.");
        }
        fiber.WaitsFor = holds;
        Running!.Point(fiber);
        fiber.WaitsFor = null;
    }

    private static string? Check(Scenario scenario)
    {
        try
        {
            scenario.Check();
            return null;
        }
        catch (Exception error) // The edge: a check that throws has found something.
        {
            return $"after the threads: {error}";
        }
    }

    /// <summary>The next list of choices in depth-first order; false when all have been tried.</summary>
    private static bool TryAdvance(List<(int Chosen, int Options)> choices)
    {
        while (choices.Count > 0)
        {
            var (chosen, options) = choices[^1];
            if (chosen + 1 < options)
            {
                choices[^1] = (chosen + 1, options);
                return true;
            }
            choices.RemoveAt(choices.Count - 1);
        }
        return false;
    }
}
