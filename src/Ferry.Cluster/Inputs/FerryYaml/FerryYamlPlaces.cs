using Ferry.Cluster.Reading;
using Ferry.Cluster.Rendering.Plan;
using Ferry.Cluster.Sources;
using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Inputs.FerryYaml;

/// <summary>Where the keys of a ferry.yaml stand.</summary>
internal sealed class FerryYamlPlaces(SourcedText text, SpecSource source)
{
    private readonly SourceFile _lines = new("", text.Value);

    /// <summary>The word at a line and column of the document, both from 1.</summary>
    public SourceSpan At(int line, int column)
    {
        if (line < 1 || line > _lines.LineCount) { return text.Slice(0, 0); }
        var span = _lines.Line(line);
        var start = Math.Min(span.Offset + Math.Max(0, column - 1), span.End);
        var end = start;
        while (end < span.End && text.Value[end] is not (' ' or ',' or '}' or ']' or '\t')) { end++; }
        return text.Slice(start, Math.Max(end - start, Math.Min(1, text.Value.Length - start)));
    }

    /// <summary>The value of a path (<c>pools[0].engine.env.UCX_TLS</c>), or of the nearest part above it.</summary>
    public SourceSpan Of(string path)
    {
        var place = source.Find(path);
        return At(place.ValueLine, place.ValueColumn);
    }

    public bool Has(string path) => source.Places.ContainsKey(path);

    /// <summary>The places of a planned process.</summary>
    public ProcessPlaces Of(PlannedNode node, PlannedProcess process, ClusterSpec spec)
    {
        for (var pool = 0; pool < spec.Pools.Count; pool++)
        {
            if (spec.Pools[pool].Name != node.Pool) { continue; }
            for (var index = 0; index < spec.Pools[pool].Nodes.Count; index++)
            {
                if (spec.Pools[pool].Nodes[index].Address == node.Address) { return new ProcessPlaces(this, process, $"pools[{pool}]", $"pools[{pool}].nodes[{index}].name", spec.Pools[pool].Engine.Flags); }
            }
            return new ProcessPlaces(this, process, $"pools[{pool}]", $"pools[{pool}].name", spec.Pools[pool].Engine.Flags);
        }
        return new ProcessPlaces(this, process, "", process.Kind == PlannedKind.Router && Has("router") ? "router" : "name", []);
    }

    /// <summary>A sentence of the planner that names a key or a pool is shown there, else at the hand-over.</summary>
    public SourceSpan OfWarning(string sentence, ClusterSpec spec)
    {
        var key = source.Places.Keys.Where(path => path.Contains('.', StringComparison.Ordinal) && sentence.Contains(path, StringComparison.Ordinal)).MaxBy(path => path.Length);
        if (key is not null) { return Of(key); }
        for (var pool = 0; pool < spec.Pools.Count; pool++)
        {
            if (sentence.Contains($"Pool {spec.Pools[pool].Name}", StringComparison.OrdinalIgnoreCase)) { return Of($"pools[{pool}].name"); }
        }
        return Of(Has("handover.kind") ? "handover.kind" : "name");
    }
}
