using System.Diagnostics;
using Ferry.TestKit.Cache;

namespace Ferry.Benchmarks;

/// <summary>Hit ratios of every policy on the conversation trace, through the real store and by the plain reference: docs/measurements/cache-policies.md.</summary>
internal static class CachePoliciesBenchmark
{
    private static readonly int[] Capacities = [1_000, 5_000, 10_000, 20_000, 50_000, 100_000];

    public static void Run(string[] options)
    {
        if ((options.Length > 0 ? options[0] : ConversationTrace.TryFind()) is not { } path)
        {
            Console.Error.WriteLine($"The conversation trace is not here: set {ConversationTrace.Variable} to the directory that has conversation_trace.jsonl, or give its path.");
            return;
        }
        var requests = ConversationTrace.Load(path);
        Console.WriteLine($"{requests.Count} requests, {requests.Sum(request => (long)request.Length)} blocks, {requests.SelectMany(request => request).Distinct().Count()} of them different; " +
            "hits among blocks asked for, prefix by prefix.");
        Console.WriteLine();
        Console.WriteLine($"| policy | {string.Join(" | ", Capacities.Select(capacity => $"{capacity} blocks"))} | equals the reference | us a block |");
        Console.WriteLine($"|---|{string.Concat(Enumerable.Repeat("---:|", Capacities.Length))}---|---:|");
        foreach (var (policy, reference) in ReferenceCache.ByPolicy.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            var (ratios, equal, begun, blocks, elapsed) = (new List<string>(), true, 0L, 0L, 0.0);
            foreach (var capacity in Capacities)
            {
                begun = Stopwatch.GetTimestamp();
                var replay = CacheReplay.Run(requests, capacity, policy);
                elapsed += Stopwatch.GetElapsedTime(begun).TotalMicroseconds;
                blocks += replay.Blocks;
                ratios.Add($"{replay.Hits / (double)replay.Blocks:F4}");
                equal &= reference(capacity).Run(requests) == replay.Hits;
            }
            Console.WriteLine($"| {policy} | {string.Join(" | ", ratios)} | {(equal ? "yes, hit for hit" : "NO")} | {elapsed / blocks:F2} |");
        }
    }
}
