using System.Diagnostics;

namespace Ferry.Benchmarks.Router;

/// <summary>A closed loop of clients, each with a connection of its own.</summary>
internal static class Load
{
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

    public static double Percentile(List<double> values, double share) => values.Order().ElementAt(Math.Min((int)(values.Count * share), values.Count - 1));
}
