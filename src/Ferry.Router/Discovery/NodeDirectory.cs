using Ferry.Router.Health;
using Ferry.Router.Policies;
using Ferry.Router.Prefixes;
using Microsoft.Extensions.Logging;

namespace Ferry.Router.Discovery;

/// <summary>Which nodes there are: those of the configuration and of each source of discovery, in one model that readers take without a lock.</summary>
internal sealed class NodeDirectory
{
    private readonly Lock _changing = new();
    private readonly Dictionary<string, NodeLists> _sources = new(StringComparer.Ordinal);
    private readonly PrefixKnowledge _knowledge;
    private readonly PairTable _pairs;
    private readonly RouterTime _time;
    private readonly ulong _seed;
    private readonly ILogger _logger;
    private readonly SortedSet<int> _freeSlots = [];
    private RouterModel _current;

    /// <param name="seed">Of random choices.</param>
    public NodeDirectory(RouterOptions options, PrefixKnowledge knowledge, PairTable pairs, RouterTime time, ulong seed, ILogger logger)
    {
        (_knowledge, _pairs, _time, _seed, _logger) = (knowledge, pairs, time, seed, logger);
        for (var slot = 0; slot < knowledge.MaxNodes; slot++) { _freeSlots.Add(slot); }
        _current = Build(options, null);
    }

    /// <summary>One volatile read: what it gives does not change.</summary>
    public RouterModel Current => Volatile.Read(ref _current);

    /// <summary>Called after each change, one at a time, with the nodes that came and went.</summary>
    public Action<IReadOnlyList<Node>, IReadOnlyList<Node>>? Changed { get; set; }

    public Node? TryFind(NodeRole role, string name)
    {
        foreach (var node in Current.Of(role))
        {
            if (node.Name == name) { return node; }
        }
        return null;
    }

    /// <summary>Takes other options in. They are valid.</summary>
    public void Apply(RouterOptions options) => Change(options, null, null);

    /// <summary>Takes in what a source of discovery found.</summary>
    public void Apply(string source, NodeLists found) => Change(null, source, found);

    private void Change(RouterOptions? options, string? source, NodeLists? found)
    {
        lock (_changing)
        {
            if (source is not null)
            {
                if (_sources.TryGetValue(source, out var before) && before.Equals(found)) { return; }
                _sources[source] = found!;
            }
            var old = Current;
            var next = Build(options ?? old.Options, old);
            Volatile.Write(ref _current, next);
            Node[] came = [.. next.Nodes.Except(old.Nodes)];
            Node[] went = [.. old.Nodes.Except(next.Nodes)];
            foreach (var node in came) { DiscoveryLog.NodeCame(_logger, node.Role, node.Name, source ?? "configuration"); }
            foreach (var node in went)
            {
                DiscoveryLog.NodeWent(_logger, node.Role, node.Name, source ?? "configuration");
                _pairs.Forget(node);
                if (node.Slot >= 0)
                {
                    // Whoever gets the slot next must not inherit what this one had.
                    _knowledge.Forget(node.Slot);
                    _freeSlots.Add(node.Slot);
                }
            }
            Changed?.Invoke(came, went);
        }
    }

    private RouterModel Build(RouterOptions options, RouterModel? old)
    {
        var prefill = Nodes(NodeRole.Prefill, options.Prefill.Concat(_sources.Values.SelectMany(lists => lists.Prefill)), old);
        var decode = Nodes(NodeRole.Decode, options.Decode.Concat(_sources.Values.SelectMany(lists => lists.Decode)), old);
        var decodePolicy = DecodePolicyOf(options);
        return new RouterModel(
            options, prefill, decode,
            old is not null && old.Options.Policy == options.Policy ? old.PrefillPolicy : NodePolicies.Create(options.Policy, _seed),
            old is not null && DecodePolicyOf(old.Options) == decodePolicy ? old.DecodePolicy : NodePolicies.Create(decodePolicy, PowerOfTwoPolicy.Mix(_seed)),
            (old?.Version ?? 0) + 1);
    }

    private static string DecodePolicyOf(RouterOptions options) => options.DecodePolicy.Length > 0 ? options.DecodePolicy : options.Policy;

    private Node[] Nodes(NodeRole role, IEnumerable<NodeSpec> specs, RouterModel? old)
    {
        var nodes = new List<Node>();
        foreach (var spec in specs.DistinctBy(spec => spec.Address))
        {
            var known = old?.Of(role).FirstOrDefault(node => node.Address == spec.Address);
            if (known is not null)
            {
                known.Spec = spec;
                nodes.Add(known);
                continue;
            }
            var slot = _freeSlots.Count > 0 ? _freeSlots.Min : -1;
            _freeSlots.Remove(slot);
            // Nodes that are there from the start get their full share at once; later ones come in slowly.
            nodes.Add(old is null ? new Node(spec, role, slot) : new Node(spec, role, slot, _time.Milliseconds));
        }
        return [.. nodes];
    }
}
