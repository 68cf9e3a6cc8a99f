using System.Globalization;
using Ferry.Router.Prefixes;

namespace Ferry.Benchmarks;

/// <summary>The router's prefix index: operations a second on one core, the time of one choice among 96 nodes, and memory that stays flat.</summary>
/// <remarks>Times are processor time of the thread, so that other work on the machine counts less; the best of some rounds.</remarks>
internal static class RouterIndexBenchmark
{
    private const long BudgetBytes = 256L << 20;
    private const int Nodes = 96;
    private const int ScoredBlocks = 3_750;   // 240,000 tokens in blocks of 64, the case of llm-d-router 2390
    private const int DistinctBlocks = 10_000_000;
    private const int PromptBlocks = 64;
    private const int Rounds = 5;

    public static void Run(string[] arguments)
    {
        Console.WriteLine("| what | figure | bar |\n|---|---|---|");
        Operations(hasEvents: false);
        Operations(hasEvents: true);
        Scoring();
        Distinct();
    }

    private static void Operations(bool hasEvents)
    {
        var index = new PrefixIndex(BudgetBytes, Nodes, hasEvents);
        var keys = Keys(2_000_000 / PromptBlocks * PromptBlocks, 1);
        var tier = hasEvents ? KvTier.Device : KvTier.Routed;
        var add = Best(() => { for (var block = 0; block < keys.Length; block += PromptBlocks) { index.Add(keys.AsSpan(block, PromptBlocks), block / PromptBlocks % Nodes, tier, 1, 600); } }, keys.Length);
        var (all, none, hits, times) = Sets(index);
        var shared = keys[..1_048_576];
        for (var block = 0; block < shared.Length; block++) { index.Add(shared[block], block / PromptBlocks % Nodes, tier, 0, 1, 600); }
        var match = Best(() =>
        {
            for (var block = 0; block < shared.Length; block += PromptBlocks) { index.Match(shared.AsSpan(block, PromptBlocks), new NodeBits(all), new NodeBits(none), hits, times); }
        }, shared.Length);
        var remove = Best(() =>
        {
            for (var block = 0; block < keys.Length; block += PromptBlocks)
            {
                index.Remove(keys.AsSpan(block, PromptBlocks), block / PromptBlocks % Nodes, tier);
                var other = (block + (keys.Length / 2 / PromptBlocks * PromptBlocks)) % keys.Length;   // not what has just been in the cache
                index.Add(keys.AsSpan(other, PromptBlocks), other / PromptBlocks % Nodes, tier, 1, 600);
            }
        }, 2L * keys.Length);
        var single = Best(() => { for (var block = 0; block < keys.Length; block++) { index.Remove(keys[block], block % Nodes, tier); index.Add(keys[block], block % Nodes, tier, 0, 1, 600); } }, 2L * keys.Length);
        var kind = hasEvents ? "with tiers" : "history only";
        Row($"add prompts of {PromptBlocks} blocks, {kind}, 256 MiB ({index.Capacity:N0} blocks of {index.EntryBytes} bytes)", $"{add / 1e6:F1} M/s", "5 M/s");
        Row($"match prompts of {PromptBlocks} blocks, {Nodes} nodes, {kind}", $"{match / 1e6:F1} M/s", "5 M/s");
        Row($"remove and add, {PromptBlocks} blocks at once as the event reader does, {kind}", $"{remove / 1e6:F1} M/s", "5 M/s");
        Row($"remove and add, one by one, {kind}", $"{single / 1e6:F1} M/s", "");
    }

    private static void Scoring()
    {
        var index = new PrefixIndex(BudgetBytes, Nodes, hasEvents: true);
        var filler = Keys(2_000_000, 2);   // a table that is full of others: the prompt's blocks lie far apart
        for (var block = 0; block < filler.Length; block++) { index.Add(filler[block], block % Nodes, KvTier.Device, 0, 1, 600); }
        var prompts = Enumerable.Range(0, 64).Select(prompt => Keys(ScoredBlocks, 100 + (ulong)prompt)).ToArray();
        foreach (var prompt in prompts)
        {
            for (var block = 0; block < prompt.Length; block++)
            {
                for (var node = 0; node < Nodes; node++)
                {
                    // Node 0 has all of it, node 95 a hundredth; a third each in device, host and storage.
                    if (block < prompt.Length * (Nodes - node) / Nodes) { index.Add(prompt[block], node, (KvTier)(1 + (block % 3)), block, 1, 600); }
                }
            }
        }
        var (all, none, hits, times) = Sets(index);
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var prompt in prompts) { index.Match(prompt, new NodeBits(all), new NodeBits(none), hits, times); }
        }
        var elapsed = new List<double>(prompts.Length);
        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var prompt in prompts)
        {
            var started = ThreadCpuClock.Now();
            index.Match(prompt, new NodeBits(all), new NodeBits(none), hits, times);
            elapsed.Add((ThreadCpuClock.Now() - started).TotalMilliseconds);
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        elapsed.Sort();
        var blocksASecond = ScoredBlocks / (elapsed[elapsed.Count / 2] / 1e3);
        Row($"score {ScoredBlocks:N0} blocks × {Nodes} nodes, three tiers, median (worst) of 64 prompts", $"{elapsed[elapsed.Count / 2]:F3} ({elapsed[^1]:F3}) ms, {blocksASecond / 1e6:F1} M blocks/s", "2 ms");
        Row("bytes allocated a scoring", $"{allocated / prompts.Length}", "0");
    }

    private static void Distinct()
    {
        var index = new PrefixIndex(BudgetBytes, Nodes, hasEvents: false);
        Fill(index, 0, DistinctBlocks / 10);
        var before = Memory();
        Fill(index, DistinctBlocks / 10, DistinctBlocks);
        var after = Memory();
        Row($"index memory after {DistinctBlocks / 10:N0} and {DistinctBlocks:N0} distinct blocks", $"{index.Bytes / 1048576.0:F1} MiB both; process {before / 1048576.0:F0} and {after / 1048576.0:F0} MiB", "256 MiB, flat");
        Row("blocks held, blocks given up", $"{index.Count():N0}, {index.Evictions:N0}", "");
    }

    private static void Fill(PrefixIndex index, long from, long to)
    {
        for (var block = from; block < to; block++) { index.Add(Mix((ulong)block), (int)(block % Nodes), KvTier.Routed, 0, (uint)(block >> 20), 600); }
    }

    private static double Memory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Environment.WorkingSet;
    }

    private static (ulong[] All, ulong[] None, PrefixHit[] Hits, MatchTimes Times) Sets(PrefixIndex index)
    {
        var all = new ulong[index.Words];
        for (var node = 0; node < Nodes; node++) { new NodeBits(all).Add(node); }
        return (all, new ulong[index.Words], new PrefixHit[index.MaxNodes], new MatchTimes(1, 600, 5));
    }

    private static double Best(Action action, long operations)
    {
        var best = 0d;
        for (var round = 0; round < Rounds; round++)
        {
            var started = ThreadCpuClock.Now();
            action();
            best = Math.Max(best, operations / (ThreadCpuClock.Now() - started).TotalSeconds);
        }
        return best;
    }

    private static ulong[] Keys(int count, ulong seed)
    {
        var keys = new ulong[count];
        for (var block = 0; block < count; block++) { keys[block] = Mix((seed << 40) + (ulong)block); }
        return keys;
    }

    /// <summary>splitmix64: distinct inputs give distinct, spread outputs.</summary>
    private static ulong Mix(ulong value)
    {
        value += 0x9E3779B97F4A7C15;
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return Math.Max(value ^ (value >> 31), 1);
    }

    private static void Row(string what, string figure, string bar) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {what} | {figure} | {bar} |"));
}
