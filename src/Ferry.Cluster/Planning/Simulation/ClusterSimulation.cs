using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Planning.Simulation;

/// <summary>
/// Plays a trace on a cluster, event by event: router → queue of a prefill node (caches, loads, computation) → network → batch of a decode node.
/// What is modelled and what is not: docs/planning.md, "The simulation". The same trace, file and seed give the same figures on every machine.
/// </summary>
public sealed class ClusterSimulation
{
    /// <summary>Nodes that one table of holders tells apart.</summary>
    public const int MaximumNodes = 128;

    private const int SourcesPerNode = 4;

    private readonly ClusterSpec _spec;
    private readonly Trace _trace;
    private readonly double _speed;
    private readonly long _tokenBytes;
    private readonly long _longestTokens;
    private readonly double _stagingSecondsPerByte;
    private readonly SimulatedNode[] _nodes;
    private readonly TierRates[] _rates;
    private readonly BlockCache? _shared;
    private readonly NodeChoice _choice;
    private readonly Timeline _timeline;
    private readonly RequestStates _states;
    private readonly PrefillLoad _load;
    private readonly PriorityQueue<int, double> _staged = new();
    private readonly SimulationCounts _counts;

    private ClusterSimulation(ClusterSpec spec, Trace trace, SimulationOptions options)
    {
        var model = ModelFigures.Of(spec.Model);
        (_spec, _trace, _speed, _tokenBytes) = (spec, trace, options.Speed, model.KvBytesPerToken);
        var holders = new BlockHolders(trace.DifferentBlocks);
        var blockBytes = _tokenBytes * Trace.BlockTokens;
        _nodes = [.. spec.Nodes.Select((entry, index) => Node(spec, model, entry.Pool, index, blockBytes, holders))];
        _longestTokens = Math.Min(spec.Model.MaxLength, _nodes.Where(node => node.Role != PoolRole.Prefill).Min(node => node.Model.KvTokens));
        _rates = [.. _nodes.Select(node => TierRates.Of(spec, node.Model))];
        if (spec.Storage.Kind != StorageKind.None)
        {
            var bytes = TierPlanner.SharedBytes(spec.Storage);
            _shared = BlockCache.Create(spec.Cache.Policy, bytes == 0 ? long.MaxValue : bytes / blockBytes, trace.DifferentBlocks);
        }
        _choice = new NodeChoice(spec.Router.Policy, _nodes, holders, options.Seed);
        _timeline = new Timeline((_nodes.Length * SourcesPerNode) + 1);
        _states = new RequestStates(trace.Count);
        _load = new PrefillLoad(_tokenBytes, spec.Plan.StorageLatencyMs / 1000);
        _counts = new SimulationCounts(trace.Count);
        _stagingSecondsPerByte = TransferPlanner.StagingSecondsPerByte(spec, [.. _nodes.Select(node => node.Model)]);
    }

    /// <exception cref="PlanException">The cluster has more nodes than <see cref="MaximumNodes"/>, the model's shape is not known, or a pool has no memory for KV.</exception>
    public static SimulationResult Run(ClusterSpec spec, Trace trace, SimulationOptions options)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(trace);
        ArgumentNullException.ThrowIfNull(options);
        if (spec.Nodes.Count() > MaximumNodes)
        {
            throw new PlanException($"The cluster has {spec.Nodes.Count()} nodes; a simulation takes at most {MaximumNodes}.");
        }
        if (!(options.Speed > 0 && double.IsFinite(options.Speed)))
        {
            throw new PlanException($"The speed of a simulation is {options.Speed}; it must be above 0.");
        }
        var simulation = new ClusterSimulation(spec, trace, options);
        simulation.Play();
        return SimulationReport.Of(spec, trace, simulation._nodes, simulation._counts);
    }

    private static SimulatedNode Node(ClusterSpec spec, ModelFigures model, PoolSpec pool, int index, long blockBytes, BlockHolders holders)
    {
        var node = new NodeModel(spec, pool, model);
        if (node.KvTokens == 0)
        {
            throw new PlanException($"Pool {pool.Name} has no memory for KV: its weights do not fit. Raise tensorParallel.");
        }
        var computesPrompts = pool.Role != PoolRole.Decode || spec.Router.MinPromptTokens > 0;
        var caches = new NodeCaches(index, node, spec.CacheOf(pool), computesPrompts, blockBytes, holders);
        return new SimulatedNode(index, Enumerable.Range(0, spec.Pools.Count).First(known => ReferenceEquals(spec.Pools[known], pool)), node, caches, spec.Transport.BytesPerSecondOrUsual);
    }

    private void Play()
    {
        for (var next = 0; ;)
        {
            var arrival = next < _trace.Count ? _trace.Seconds[next] / _speed : double.PositiveInfinity;
            var now = _timeline.EarliestTime;
            if (arrival <= now)
            {
                if (double.IsPositiveInfinity(arrival))
                {
                    return;
                }
                Arrive(arrival, next++);
                continue;
            }
            var source = _timeline.EarliestSource;
            if (source == _nodes.Length * SourcesPerNode)
            {
                var request = _staged.Dequeue();
                ScheduleStaged();
                Admit(now, request, _nodes[_states.DecodeNode[request]]);
                continue;
            }
            var node = _nodes[source / SourcesPerNode];
            switch (source % SourcesPerNode)
            {
                case 0:
                    EndPrefill(now, node);
                    break;
                case 1:
                    EndDirection(now, node.Outgoing.End(now));
                    Schedule(node, 1, node.Outgoing.NextEnd);
                    break;
                case 2:
                    EndDirection(now, node.Incoming.End(now));
                    Schedule(node, 2, node.Incoming.NextEnd);
                    break;
                default:
                    EndSequence(now, node);
                    break;
            }
        }
    }

    private void Arrive(double now, int request)
    {
        var (input, output) = (_trace.InputTokens[request], _trace.OutputTokens[request]);
        if (input + output > _longestTokens)
        {
            _counts.Refused++;
            return;
        }
        _states.Arrived[request] = now;
        _counts.PromptTokens += input;
        var node = _choice.Prefill(_trace.BlocksOf(request), input, isShort: input < _spec.Router.MinPromptTokens);
        node.Prefills.Enqueue(request);
        node.PendingTokens += input;
        if (!node.IsPrefilling)
        {
            BeginPrefill(now, node);
        }
    }

    private void BeginPrefill(double now, SimulatedNode node)
    {
        var request = node.Prefills.Dequeue();
        var seconds = _load.Plan(node, _rates[node.Index], _shared, _trace.BlocksOf(request), _trace.InputTokens[request]);
        for (var tier = 0; tier < _load.Tokens.Length; tier++)
        {
            _counts.TierTokens[tier] += _load.Tokens[tier];
        }
        node.IsPrefilling = true;
        node.CurrentPrefill = request;
        node.PrefillBusySeconds += seconds;
        node.LoadSeconds += _load.LoadSeconds;
        if (node.Role != PoolRole.Prefill)
        {
            node.Batch.Pause(now, isPaused: true);
            Schedule(node, 3, node.Batch.NextEnd);
        }
        Schedule(node, 0, now + seconds);
    }

    private void EndPrefill(double now, SimulatedNode node)
    {
        var request = node.CurrentPrefill;
        var blocks = _trace.BlocksOf(request);
        node.IsPrefilling = false;
        node.PendingTokens -= _trace.InputTokens[request];
        node.Caches.Keep(blocks);
        _shared?.Request(blocks);
        _states.Prefilled[request] = now;
        Schedule(node, 0, double.PositiveInfinity);
        if (node.Prefills.Count > 0)
        {
            BeginPrefill(now, node);
        }
        else if (node.Role != PoolRole.Prefill)
        {
            node.Batch.Pause(now, isPaused: false);
            Schedule(node, 3, node.Batch.NextEnd);
        }
        if (node.Role != PoolRole.Prefill)
        {
            node.KvTokensPromised += Tokens(request);
            Admit(now, request, node);
        }
        else
        {
            HandOver(now, request, node, _choice.Decode());
        }
    }

    private void HandOver(double now, int request, SimulatedNode from, SimulatedNode to)
    {
        _states.DecodeNode[request] = (short)to.Index;
        to.KvTokensPromised += Tokens(request);
        var blocks = _trace.BlocksOf(request);
        // A decode node fetches what it does not have from an earlier turn.
        var bytes = (double)_tokenBytes * Math.Max(0, _trace.InputTokens[request] - ((long)to.Caches.FoundInMemory(blocks) * Trace.BlockTokens));
        to.Caches.Keep(blocks);
        _counts.HandedOver++;
        _counts.MovedBytes += bytes;
        if (bytes == 0)
        {
            Stage(now, request, 0);
            return;
        }
        _states.Directions[request] = 2;
        _states.FirstToken[request] = bytes;   // until the bytes have arrived; then the time of the first token stands here
        from.Outgoing.Add(now, request, bytes);
        to.Incoming.Add(now, request, bytes);
        Schedule(from, 1, from.Outgoing.NextEnd);
        Schedule(to, 2, to.Incoming.NextEnd);
    }

    /// <summary>The KV is over when both the sender and the receiver are through with it.</summary>
    private void EndDirection(double now, int request)
    {
        if (--_states.Directions[request] == 0)
        {
            Stage(now, request, _states.FirstToken[request]);
        }
    }

    private void Stage(double now, int request, double bytes)
    {
        _staged.Enqueue(request, now + (bytes * _stagingSecondsPerByte));
        ScheduleStaged();
    }

    private void Admit(double now, int request, SimulatedNode node)
    {
        _states.DecodeNode[request] = (short)node.Index;
        if (_nodes.Length > 1 && _spec.IsDisaggregated)
        {
            _counts.AddHandOver(now - _states.Prefilled[request]);
        }
        node.Waiting.Enqueue(request);
        AdmitWaiting(now, node);
    }

    private void AdmitWaiting(double now, SimulatedNode node)
    {
        while (node.Waiting.TryPeek(out var request) && node.Batch.Count < node.Model.Pool.Limits.Sequences && node.KvTokensUsed + Tokens(request) <= node.Model.KvTokens)
        {
            node.Waiting.Dequeue();
            node.KvTokensUsed += Tokens(request);
            node.Batch.Add(now, request, _trace.InputTokens[request], _trace.OutputTokens[request]);
            _states.FirstToken[request] = now + node.Batch.StepSeconds;
        }
        Schedule(node, 3, node.Batch.NextEnd);
    }

    private void EndSequence(double now, SimulatedNode node)
    {
        var request = node.Batch.First;
        node.Batch.Remove(now, Tokens(request));
        node.KvTokensUsed -= Tokens(request);
        node.KvTokensPromised -= Tokens(request);
        _counts.Serve(now, _states.Arrived[request], Math.Min(now, _states.FirstToken[request]), _trace.OutputTokens[request]);
        AdmitWaiting(now, node);
    }

    private int Tokens(int request) => _trace.InputTokens[request] + _trace.OutputTokens[request];

    private void Schedule(SimulatedNode node, int source, double time) => _timeline.Set((node.Index * SourcesPerNode) + source, time);

    private void ScheduleStaged() => _timeline.Set(_nodes.Length * SourcesPerNode, _staged.TryPeek(out _, out var time) ? time : double.PositiveInfinity);
}
