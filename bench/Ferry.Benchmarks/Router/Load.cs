using System.Diagnostics;

namespace Ferry.Benchmarks.Router;

/// <summary>A closed loop of clients, each with a connection of its own.</summary>
internal static class Load
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(1);

    /// <param name="send">One request, its answer read to the end.</param>
    /// <returns>Milliseconds of every request.</returns>
    public static async Task<List<double>> RunAsync(int clients, TimeSpan time, Func<Task> send)
    {
        var until = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
        var all = await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            var own = new List<double>();
            while (Stopwatch.GetTimestamp() < until)
            {
                var begun = Stopwatch.GetTimestamp();
                await send();
                own.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            }
            return own;
        })));
        return [.. all.SelectMany(own => own)];
    }

    /// <summary>Requests that are sent at a set pace, whatever becomes of those before: a system that is slow does not slow its load.</summary>
    /// <param name="gap">From one to the next on average; each gap lies between a half and one and a half of it, so that nothing falls into step with the pods' timers.</param>
    /// <param name="send">One request; returns what is counted of it.</param>
    public static async Task<(List<double> Counted, double MeanInFlight)> PacedAsync(int requests, TimeSpan gap, Func<int, Task<double>> send)
    {
        var random = new Random(requests);
        var tasks = new List<Task<double>>(requests);
        var due = TimeSpan.Zero;
        var (inFlight, seen) = (0, 0L);
        var begun = Stopwatch.GetTimestamp();
        for (var index = 0; index < requests; index++)
        {
            due += gap * (0.5 + random.NextDouble());
            while (due - Stopwatch.GetElapsedTime(begun) is var left && left > TimeSpan.Zero)
            {
                await Task.Delay(left > s_tick ? left : s_tick);   // a shorter one would not wait at all
            }
            seen += Volatile.Read(ref inFlight);
            tasks.Add(OneAsync(index));
        }
        var counted = await Task.WhenAll(tasks);
        return ([.. counted], (double)seen / requests);

        async Task<double> OneAsync(int index)
        {
            Interlocked.Increment(ref inFlight);
            try
            {
                return await send(index);
            }
            finally
            {
                Interlocked.Decrement(ref inFlight);
            }
        }
    }

    public static double Percentile(List<double> values, double share) => values.Order().ElementAt(Math.Min((int)(values.Count * share), values.Count - 1));
}
