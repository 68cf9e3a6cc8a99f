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

    /// <summary>Finds what each node is believed to have of the prompt, of both roles in one walk through the index: its lines of memory are far away, and a long prompt has hundreds of them.</summary>
    /// <remarks>What it finds stays in this thread's <see cref="ChoiceScratch"/>: call <see cref="Pick"/> with the same model before anything else is chosen.</remarks>
    public void Look(RouterModel model, Choice choice)
    {
        if (!model.NeedsPrefixes || choice.Keys is not { } keys) { return; }
        var scratch = ChoiceScratch.Own;
        scratch.Fit(Math.Max(model.Prefill.Length, model.Decode.Length), knowledge.Index);
        scratch.BySlot.AsSpan().Clear();
        if (keys.IsText)
        {
            // Events speak of tokens, so of text nobody says what it has: what was sent where is all that is known.
            Match(model, keys.Text(model.Options.TextBlockBytes), 0, scratch);
            return;
        }
        Span<int> lengths = stackalloc int[ChoiceKeys.MaxLengths];
        var known = 0;
        foreach (var role in (ReadOnlySpan<NodeRole>)[NodeRole.Decode, NodeRole.Prefill])
        {
            foreach (var node in model.Of(role))
            {
                var length = LengthOf(node, model.Options);
                if (known < lengths.Length && !lengths[..known].Contains(length)) { lengths[known++] = length; }
            }
        }
        foreach (var length in lengths[..known])
        {
            if (keys.Tokens(length) is { } blocks) { Match(model, blocks, length, scratch); }
        }
    }

    /// <summary>The node and the tokens that it is believed to have; null: none takes work.</summary>
    public (Node Node, int HitTokens)? Pick(RouterModel model, NodeRole role, Choice choice, ChoiceFacts facts, List<Node> tried)
    {
        var scratch = ChoiceScratch.Own;
        var all = model.Of(role);
        scratch.Fit(all.Length, null);
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
        if (model.NeedsPrefixes && choice.Keys is { } keys) { Read(model, keys, scratch, nodes, weighted, hits); }
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

    /// <summary>Tokens that each candidate is believed to have.</summary>
    private void Read(RouterModel model, ChoiceKeys keys, ChoiceScratch scratch, ReadOnlySpan<Node> nodes, Span<double> weighted, Span<int> hits)
    {
        for (var index = 0; index < nodes.Length; index++)
        {
            var node = nodes[index];
            if (node.Slot < 0 || scratch.BySlot[node.Slot] is not { Blocks: > 0 } hit) { continue; }
            var tokens = keys.IsText ? keys.Text(model.Options.TextBlockBytes).LengthOf(hit.Blocks) / BytesPerToken : hit.Blocks * LengthOf(node, model.Options);
            hits[index] = (int)tokens;
            weighted[index] = tokens * hit.Weighted(model.Options.HostTierWeight, model.Options.StorageTierWeight) / hit.Blocks;
        }
    }

    private static int LengthOf(Node node, RouterOptions options) => node.BlockTokens > 0 ? node.BlockTokens : options.BlockTokens;

    /// <param name="length">Tokens of a block; 0: text.</param>
    private void Match(RouterModel model, PromptKeys keys, int length, ChoiceScratch scratch)
    {
        var asked = new NodeBits(scratch.Asked);
        var eventful = new NodeBits(scratch.Eventful);
        asked.Words.Clear();
        eventful.Words.Clear();
        Ask(model.Decode, asked, eventful);
        Ask(model.Prefill, asked, eventful);
        var times = new MatchTimes(knowledge.Now, (uint)model.Options.HistoryLifetime.TotalSeconds, (uint)model.Options.PredictionLifetime.TotalSeconds);
        knowledge.Index.Match(keys.Keys, asked, eventful, scratch.BySlot, in times);

        void Ask(ReadOnlySpan<Node> nodes, NodeBits asked, NodeBits eventful)
        {
            foreach (var node in nodes)
            {
                if (node.Slot < 0 || (length > 0 && length != LengthOf(node, model.Options))) { continue; }
                asked.Add(node.Slot);
                if (length > 0 && node.HasEvents) { eventful.Add(node.Slot); }
            }
        }
    }
}
