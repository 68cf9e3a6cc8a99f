using Ferry.Router.Discovery;
using Ferry.Router.Health;
using Ferry.Router.Policies;
using Ferry.Router.Prefixes;

namespace Ferry.Router.Choosing;

/// <summary>Picks one node for one leg: who takes work, what each is believed to have, and the policy's word.</summary>
internal sealed class NodeSelection(PrefixKnowledge knowledge, PairTable pairs, RouterTime time)
{
    /// <summary>Bytes of a text prompt that make a token, as answers say.</summary>
    public double BytesPerToken { get; set; } = 4;   // English, until the first answer

    /// <summary>The node and the tokens that it is believed to have; null: none takes work.</summary>
    public (Node Node, int HitTokens)? Pick(RouterModel model, NodeRole role, Choice choice, ChoiceFacts facts, List<Node> tried)
    {
        var scratch = ChoiceScratch.Own;
        var all = model.Of(role);
        scratch.Fit(all.Length, model.NeedsPrefixes ? knowledge.Index : null);
        var now = time.Milliseconds;
        var decode = role == NodeRole.Prefill ? choice.Decode : null;
        var count = Gather(all, tried, decode, now, scratch.Candidates, hasFallback: false);
        if (count == 0)
        {
            // All that are left have failed legs of late. A request that would be refused may as well try one.
            count = Gather(all, tried, decode, now, scratch.Candidates, hasFallback: true);
        }
        if (count == 0) { return null; }
        var nodes = scratch.Candidates.AsSpan(0, count);
        var weighted = scratch.Weighted.AsSpan(0, count);
        var hits = scratch.Hits.AsSpan(0, count);
        weighted.Clear();
        hits.Clear();
        if (model.NeedsPrefixes && choice.Keys is { } keys) { Look(model.Options, keys, scratch, nodes, weighted, hits); }
        var input = new PolicyInput(nodes, weighted)
        {
            PromptTokens = choice.PromptTokens,
            SessionHash = choice.SessionHash,
            Decode = decode,
            DecodeHitTokens = choice.DecodeHitTokens,
            Options = model.Options,
            Pairs = pairs,
            Now = now,
        };
        var index = (role == NodeRole.Prefill ? model.PrefillPolicy : model.DecodePolicy).Choose(input);
        var node = nodes[index];
        var hit = Math.Min(hits[index], choice.PromptTokens);
        nodes.Clear();   // the thread must not keep nodes alive that have left
        return (node, hit);
    }

    private int Gather(Node[] all, List<Node> tried, Node? decode, long now, Node[] candidates, bool hasFallback)
    {
        var count = 0;
        foreach (var node in all)
        {
            var takesWork = node.TakesWork(now) || (hasFallback && !node.IsDraining && !node.Spec.IsLeaving && node.Health.IsUp);
            if (takesWork && !tried.Contains(node) && (decode is null || pairs.IsUsable(node, decode, now))) { candidates[count++] = node; }
        }
        return count;
    }

    private void Look(RouterOptions options, ChoiceKeys keys, ChoiceScratch scratch, ReadOnlySpan<Node> nodes, Span<double> weighted, Span<int> hits)
    {
        if (keys.IsText)
        {
            // Events speak of tokens, so of text nobody says what it has: what was sent where is all that is known.
            Match(options, keys.Text(options.TextBlockBytes), 0, scratch, nodes, weighted, hits);
            return;
        }
        Span<int> lengths = stackalloc int[4];
        var known = 0;
        foreach (var node in nodes)
        {
            var length = node.BlockTokens > 0 ? node.BlockTokens : options.BlockTokens;
            if (known < lengths.Length && !lengths[..known].Contains(length)) { lengths[known++] = length; }
        }
        foreach (var length in lengths[..known])
        {
            if (keys.Tokens(length) is { } blocks) { Match(options, blocks, length, scratch, nodes, weighted, hits); }
        }
    }

    /// <param name="length">Tokens of a block; 0: text.</param>
    private void Match(RouterOptions options, PromptKeys keys, int length, ChoiceScratch scratch, ReadOnlySpan<Node> nodes, Span<double> weighted, Span<int> hits)
    {
        var asked = new NodeBits(scratch.Asked);
        var eventful = new NodeBits(scratch.Eventful);
        asked.Words.Clear();
        eventful.Words.Clear();
        foreach (var node in nodes)
        {
            if (node.Slot < 0 || (length > 0 && length != (node.BlockTokens > 0 ? node.BlockTokens : options.BlockTokens))) { continue; }
            asked.Add(node.Slot);
            if (length > 0 && node.HasEvents) { eventful.Add(node.Slot); }
        }
        var times = new MatchTimes(knowledge.Now, (uint)options.HistoryLifetime.TotalSeconds, (uint)options.PredictionLifetime.TotalSeconds);
        knowledge.Index.Match(keys.Keys, asked, eventful, scratch.BySlot, in times);
        for (var index = 0; index < nodes.Length; index++)
        {
            var slot = nodes[index].Slot;
            if (slot < 0 || !asked.Contains(slot)) { continue; }
            var hit = scratch.BySlot[slot];
            if (hit.Blocks == 0) { continue; }
            var tokens = length > 0 ? hit.Blocks * length : keys.LengthOf(hit.Blocks) / BytesPerToken;
            hits[index] = (int)tokens;
            weighted[index] = tokens * hit.Weighted(options.HostTierWeight, options.StorageTierWeight) / hit.Blocks;
        }
    }
}
