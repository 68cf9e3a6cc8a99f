using System.Runtime.InteropServices;
using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;
using Ferry.TestKit.Transfer;
using Ferry.Transfer;
using Ferry.Transfer.Handover;
using Ferry.Transfer.InProcess;
using Ferry.Transfer.Media;
using Ferry.Transfer.SharedMemory;
using Ferry.Transfer.Tcp;
using Ferry.Transfer.Ucx;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.Benchmarks.Handover;

/// <summary>An owner and a reader of one case over one medium, in this process, with the request in the owner's blocks.</summary>
internal sealed class HandoverRig : IAsyncDisposable
{
    private readonly HandoverCase _case;
    private readonly HandoverDesk _desk;
    private readonly ITransferAgent _owner;
    private readonly ITransferAgent _reader;
    private readonly ITransferPeer _peer;
    private readonly HandoverReader _handovers;
    private readonly List<SharedArena> _arenas = [];
    private readonly List<KvRankPool> _sources = [];
    private readonly List<KvRankPool> _targets = [];
    private readonly int[] _sourceBlocks;
    private readonly int[] _targetBlocks;
    private int _requests;

    private HandoverRig(HandoverCase one, HandoverDesk desk, ITransferAgent owner, ITransferAgent reader, ITransferPeer peer)
    {
        (_case, _desk, _owner, _reader, _peer) = (one, desk, owner, reader, peer);
        _handovers = new HandoverReader(reader, Limits(one), TimeProvider.System);
        _sourceBlocks = Blocks(one.Sources[0], one.Scattered);
        _targetBlocks = Blocks(one.Targets[0], one.Scattered);
    }

    /// <summary>What the last hand-over of the first rank did.</summary>
    public HandoverReport? Report { get; private set; }

    public string Medium => _peer.Medium.ToString();

    public static async Task<HandoverRig> StartAsync(HandoverCase one, string medium)
    {
        var desk = new HandoverDesk(Limits(one) with { Route = null }, TimeProvider.System);
        var network = new InProcessNetwork(TimeProvider.System);
        var owner = await AgentAsync("owner", medium, network, one.Sources, desk);
        var reader = await AgentAsync("reader", medium, network, [], null);
        var (peer, outcome) = await reader.ConnectAsync(owner.Endpoint, CancellationToken.None);
        var rig = new HandoverRig(one, desk, owner, reader, peer ?? throw new InvalidOperationException(outcome.ToString()));
        foreach (var (layout, index) in one.Sources.Select((layout, index) => (layout, index)))
        {
            rig._sources.Add(rig.Pool(owner, layout, index + 1));
        }
        foreach (var layout in one.Targets)
        {
            rig._targets.Add(rig.Pool(reader, layout, 0));
        }
        desk.Open(owner, rig._sources);
        return rig;
    }

    /// <summary>One request from the offer to the release: all ranks of the reader, at once.</summary>
    public async Task HandOverAsync()
    {
        var requestId = $"cmpl-{++_requests}";
        Require(_desk.Offer(requestId, [_sourceBlocks], HandoverCase.Tokens, TimeSpan.FromMinutes(2)));
        var plans = _targets.ConvertAll(target =>
            HandoverPlan.TryCreate(_peer.Remote.Kv, target.Layout, Limits(_case), out var plan, out var mismatches) ? plan : throw new InvalidOperationException(string.Join("; ", mismatches)));
        var asked = await plans[0].AskAsync(_peer, requestId, CancellationToken.None);
        Require(asked.Outcome);
        var pulled = await Task.WhenAll(plans.Select((plan, rank) =>
            _handovers.PullAsync(_peer, plan, requestId, asked.Ticket!, _targets[rank], _targetBlocks, 0, CancellationToken.None)));
        foreach (var one in pulled)
        {
            Require(one.Outcome);
        }
        Report = pulled[0].Report;
        Require(await _peer.ReleaseAsync(new Ferry.Transfer.SideChannel.ReleaseRequest(requestId, asked.Ticket!.Ranks[0].LeaseId, Completed: true), CancellationToken.None));
    }

    /// <summary>Compares every reader's block with a conversion in memory; throws at the first difference.</summary>
    public unsafe void Verify()
    {
        foreach (var target in _targets)
        {
            if (!PagedConversionPlan.TryCreate(_case.Sources, target.Layout, staysInCache: false, out var plan, out var mismatches))
            {
                throw new InvalidOperationException(string.Join("; ", mismatches));
            }
            var expected = (byte*)NativeMemory.AlignedAlloc((nuint)target.Layout.PayloadBytes, 4096);
            NativeMemory.Clear(expected, (nuint)target.Layout.PayloadBytes);
            plan.Run([.. _sources.Select(source => new PagedKv(source.Region.Address, source.Layout.PayloadBytes, _sourceBlocks))],
                new PagedKv((nint)expected, target.Layout.PayloadBytes, _targetBlocks),
                new PagedWindow(0, 0, target.Layout.Layers, 0, 0, HandoverCase.Tokens));
            var equal = new ReadOnlySpan<byte>(expected, (int)target.Layout.PayloadBytes).SequenceEqual(new ReadOnlySpan<byte>((byte*)target.Region.Address, (int)target.Layout.PayloadBytes));
            NativeMemory.AlignedFree(expected);
            if (!equal)
            {
                throw new InvalidOperationException($"{_case.Name}: the blocks of '{target.Layout}' are not what they should be.");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _handovers.DisposeAsync();
        await _peer.DisposeAsync();
        await _desk.DisposeAsync();
        await _reader.DisposeAsync();
        await _owner.DisposeAsync();
        _arenas.ForEach(arena => arena.Dispose());
    }

    private static HandoverLimits Limits(HandoverCase one) => new() { Route = one.Route };

    private static int[] Blocks(KvLayout pool, bool scattered) =>
        HandoverScene.Blocks((HandoverCase.Tokens + pool.BlockTokens - 1) / pool.BlockTokens, pool.Tokens / pool.BlockTokens, scattered, seed: 3);

    private static async Task<ITransferAgent> AgentAsync(string engineId, string medium, InProcessNetwork network, KvLayout[] layouts, HandoverDesk? desk)
    {
        var options = new TcpAgentOptions
        {
            EngineId = engineId,
            Port = 0,
            Kv = HandoverScene.Describe(layouts),
            Handler = desk is null ? Ferry.Transfer.SideChannel.RefusingHandler.Instance : desk,
            Leases = new LeaseLimits { RangeCountMax = 65_536 },
            Media = await MediaAsync(medium),
        };
        return medium == "in-process" ? InProcessTransferAgent.Start(network, engineId, options) : await TcpTransferAgent.StartAsync(options, CancellationToken.None);
    }

    private static async Task<IReadOnlyList<DataMedium>> MediaAsync(string medium) => medium switch
    {
        "shm" => [new SharedMemoryMedium()],
        "ucx tcp" => [await UcxMedium.StartAsync(new UcxOptions { Transports = "tcp" }, NullLogger.Instance)],
        "ucx tcp,sm" => [await UcxMedium.StartAsync(new UcxOptions { Transports = "tcp,sm" }, NullLogger.Instance)],
        _ => [],
    };

    private KvRankPool Pool(ITransferAgent agent, KvLayout layout, int seed)
    {
        var arena = new SharedArena(layout.PayloadBytes);
        _arenas.Add(arena);
        Fill(arena, layout.PayloadBytes, seed);
        return new KvRankPool(agent.Register(arena.Address, layout.PayloadBytes, arena.Backing), 0, layout);
    }

    private static unsafe void Fill(SharedArena arena, long bytes, int seed)
    {
        var span = new Span<byte>((byte*)arena.Address, checked((int)bytes));
        if (seed == 0)
        {
            span.Clear(); // touched, so that no round pays for its pages
        }
        else
        {
            var state = (ulong)seed;
            foreach (ref var word in MemoryMarshal.Cast<byte, ulong>(span))
            {
                state += 0x9E3779B97F4A7C15; // splitmix64: unlike at every offset, and as fast as the memory
                var mixed = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
                word = mixed ^ (mixed >> 27);
            }
        }
    }

    private static void Require(TransferOutcome outcome)
    {
        if (!outcome.IsSuccess)
        {
            throw new InvalidOperationException(outcome.ToString());
        }
    }
}
