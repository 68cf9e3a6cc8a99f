using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Observed;

/// <summary>Everything that the given files describe, taken as one cluster.</summary>
internal sealed class ObservedCluster
{
    public ObservedCluster(
        IReadOnlyList<SourceFile> files, IReadOnlyList<ObservedProcess> processes, IReadOnlyList<SourceDefect> defects, IReadOnlyList<ObservedDocument> documents)
    {
        Files = files;
        Processes = processes;
        Defects = defects;
        Documents = documents;
        Engines = [.. processes.Where(process => process.IsEngine)];
        var pairs = new List<ObservedPair>();
        foreach (var prefill in Engines.Where(engine => engine.Role == ProcessRole.Prefill))
        {
            foreach (var decode in Engines.Where(engine => engine.Role == ProcessRole.Decode && engine.Group == prefill.Group))
            {
                if (pairs.Count < MaxPairs) { pairs.Add(new ObservedPair(prefill, decode)); }
            }
        }
        Pairs = pairs;
    }

    /// <summary>A hundred nodes on each side; more pairs say nothing new.</summary>
    private const int MaxPairs = 10_000;

    public IReadOnlyList<SourceFile> Files { get; }

    public IReadOnlyList<ObservedProcess> Processes { get; }

    /// <summary>vLLM and Ferry engines.</summary>
    public IReadOnlyList<ObservedProcess> Engines { get; }

    /// <summary>Each prefill with each decode engine of its group.</summary>
    public IReadOnlyList<ObservedPair> Pairs { get; }

    /// <summary>What the readers of the languages met: the rules of the Shell and Files groups report them.</summary>
    public IReadOnlyList<SourceDefect> Defects { get; }

    public IReadOnlyList<ObservedDocument> Documents { get; }

    public IEnumerable<ObservedProcess> InGroup(int group) => Processes.Where(process => process.Group == group);

    public IEnumerable<int> Groups => Processes.Select(process => process.Group).Distinct();
}
