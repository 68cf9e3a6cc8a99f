using System.Diagnostics.CodeAnalysis;
using Ferry.Kv.Conversion;
using Ferry.Kv.Layout;
using Ferry.Transfer.OneSided;
using Ferry.Transfer.SideChannel;

namespace Ferry.Transfer.Handover;

/// <summary>How KV of one peer becomes KV of one own rank: made at the handshake, or refused there with every field that stands in the way.</summary>
/// <remarks>Immutable; any number of hand-overs use it at once.</remarks>
public sealed class HandoverPlan
{
    private HandoverPlan(KvLayout[] peerPools, KvLayout target, PagedConversionPlan conversion, UsedRank[] used, HandoverLimits limits)
    {
        Conversion = conversion;
        PeerPools = peerPools;
        Target = target;
        Used = used;
        Limits = limits;
    }

    /// <summary>Pools of the peer's ranks, rank 0 first.</summary>
    public IReadOnlyList<KvLayout> PeerPools { get; }

    /// <summary>Pool of the own rank.</summary>
    public KvLayout Target { get; }

    /// <summary>The ranks of the peer that are read.</summary>
    public IReadOnlyList<int> PeerRanks => [.. Used.Select(used => used.Rank)];

    /// <summary>From the peer's pools as they lie.</summary>
    internal PagedConversionPlan Conversion { get; }

    internal UsedRank[] Used { get; }

    internal HandoverLimits Limits { get; }

    /// <summary>Makes the plan from what the peer said in the handshake.</summary>
    /// <param name="peer">Its <see cref="KvDescription.RankLayouts"/> are the layouts of its pools.</param>
    /// <param name="target">The own rank's pool.</param>
    /// <param name="mismatches">Every field that stands in the way, each with both values; empty on success.</param>
    /// <exception cref="TransferConfigurationException">The limits contradict themselves.</exception>
    public static bool TryCreate(
        KvDescription peer, KvLayout target, HandoverLimits limits, [NotNullWhen(true)] out HandoverPlan? plan, out IReadOnlyList<string> mismatches)
    {
        limits.ThrowIfInvalid();
        plan = null;
        var found = new List<string>();
        var pools = new KvLayout[peer.RankLayouts.Count];
        for (var rank = 0; rank < pools.Length; rank++)
        {
            if (PoolLayouts.TryParse(peer.RankLayouts[rank], out var error) is { } pool)
            {
                pools[rank] = pool;
            }
            else
            {
                found.Add($"peer rank {rank}: {error}");
            }
        }
        if (pools.Length == 0)
        {
            found.Add("the peer describes no rank: its agent was started without the layouts of its pools");
        }
        mismatches = found;
        if (found.Count > 0)
        {
            return false;
        }
        mismatches = PagedConversionPlan.FindMismatches(pools, target);
        if (mismatches.Count > 0 || !PagedConversionPlan.TryCreate(pools, target, staysInCache: false, out var conversion, out mismatches))
        {
            mismatches = [.. mismatches.Select(line => line.Replace("source ", "peer rank ", StringComparison.Ordinal))];
            return false;
        }
        var used = new List<UsedRank>();
        for (var rank = 0; rank < pools.Length; rank++)
        {
            if (conversion.HeadsFrom(rank) is { } heads)
            {
                used.Add(new UsedRank(rank, heads.FirstHead, heads.Heads));
            }
        }
        plan = new HandoverPlan(pools, target, conversion, [.. used], limits);
        return true;
    }

    /// <summary>Asks the owner where a request's KV lies.</summary>
    /// <param name="peer">The one whose handshake the plan was made from.</param>
    public async Task<HandoverTicketResult> AskAsync(ITransferPeer peer, string requestId, CancellationToken cancellationToken)
    {
        var asked = await peer.AskAsync(HandoverCodec.EncodeTicketQuestion(requestId), cancellationToken);
        if (!asked.Outcome.IsSuccess)
        {
            return new HandoverTicketResult(asked.Outcome, null);
        }
        return HandoverCodec.DecodeTicket(asked.Answer.Span, PeerPools) is { } ticket
            ? new HandoverTicketResult(asked.Outcome, ticket)
            : new HandoverTicketResult(TransferOutcome.Failed(TransferPhase.SideChannel, TransferSide.Remote, TransferError.ProtocolViolation,
                $"The peer's answer about request '{requestId}' is malformed, or names blocks that its pools do not have."), null);
    }

    /// <summary>The cheapest way for one request, or null: no way fits the slots.</summary>
    /// <param name="blocks">The reader's block table.</param>
    /// <param name="firstToken">Tokens before it are there already.</param>
    /// <param name="medium">What carries the bytes (<see cref="MediumChoice.Name"/>).</param>
    /// <param name="reach">How the owner's pools are reached while it holds them.</param>
    internal HandoverChoice? Choose(HandoverTicket ticket, ReadOnlySpan<int> blocks, int firstToken, string medium, InPlaceReach reach)
    {
        var cost = MediumCost.Of(medium);
        var ways = new List<IHandoverRoute>();
        var direct = DirectRoute.TryCreate(this, ticket, blocks, firstToken);
        Consider(HandoverRoute.Direct, direct);
        // Where pools lie alike there is nothing to convert.
        Consider(HandoverRoute.InPlace, reach == InPlaceReach.Mapped && (direct is null || Limits.Route is not null) ? HeldRoute.TryCreateMapped(this, ticket, firstToken) : null);
        Consider(HandoverRoute.ReaderConverts, Staged(exactHeads: false));
        if (Used.Any(used => used.Heads < PeerPools[used.Rank].Heads))
        {
            Consider(HandoverRoute.ReaderConverts, Staged(exactHeads: true));
        }
        Consider(HandoverRoute.WriterConverts, PackedRoute.TryCreate(this, ticket, blocks, firstToken, cost.NeedsLongPieces));
        if (ways.Count == 0)
        {
            return null;
        }
        var best = ways.OrderBy(cost.Rank).ThenBy(cost.Of).First();
        return new HandoverChoice(best.Kind, Explain(best, ways), best);

        // One question for many steps, where the owner can hold its blocks meanwhile.
        IHandoverRoute? Staged(bool exactHeads) =>
            (reach == InPlaceReach.Copied ? HeldRoute.TryCreateCopied(this, ticket, firstToken, exactHeads) : null) as IHandoverRoute
            ?? StagedRoute.TryCreate(this, ticket, firstToken, exactHeads);

        void Consider(HandoverRoute kind, IHandoverRoute? way)
        {
            if (way is not null && (Limits.Route is null || Limits.Route == kind))
            {
                ways.Add(way);
            }
        }
    }

    private string Explain(IHandoverRoute best, List<IHandoverRoute> ways)
    {
        var text = $"{Name(best.Kind)}: {best.Share.Bytes} bytes in pieces of {best.Share.MeanPieceBytes} on average";
        var others = ways.Where(way => way != best)
            .Select(way => $"{Name(way.Kind)} {way.Share.Bytes} in pieces of {way.Share.MeanPieceBytes}");
        return Limits.Route is not null ? $"{text}; as configured" : $"{text}; {string.Join("; ", others.DefaultIfEmpty("no other way"))}";
    }

    private static string Name(HandoverRoute kind) => kind switch
    {
        HandoverRoute.Direct => "block to block",
        HandoverRoute.ReaderConverts => "reader converts",
        HandoverRoute.InPlace => "reader converts in place",
        _ => "writer packs",
    };
}
