using System.IO.Hashing;
using System.Runtime.InteropServices;
using Ferry.Router.Discovery;
using Ferry.Router.Health;
using Ferry.Router.Metrics;
using Ferry.Router.Prefixes;
using Microsoft.Extensions.Logging;

namespace Ferry.Router.Choosing;

/// <summary>Chooses the nodes of each request and learns from what is reported of them. One for the life of the router; any thread.</summary>
public sealed class NodeChooser
{
    private static readonly List<Node> None = [];   // nothing was tried yet

    private readonly NodeDirectory _nodes;
    private readonly PrefixKnowledge _knowledge;
    private readonly PairTable _pairs;
    private readonly RouterTime _time;
    private readonly RouterMetrics _metrics;
    private readonly ILogger _logger;
    private readonly NodeSelection _selection;

    internal NodeChooser(NodeDirectory nodes, PrefixKnowledge knowledge, PairTable pairs, RouterTime time, RouterMetrics metrics, ILogger logger)
    {
        (_nodes, _knowledge, _pairs, _time, _metrics, _logger) = (nodes, knowledge, pairs, time, metrics, logger);
        _selection = new NodeSelection(knowledge, pairs, time);
    }

    /// <summary>Both nodes of a request. The decode node comes first: what it has decides whether a prefill node is needed, and which pairs may be used.</summary>
    public Choice Choose(ChoiceFacts facts)
    {
        var model = _nodes.Current;
        var tokens = facts.PromptTokens ?? (int)Math.Min(int.MaxValue, facts.Prompt.Length / _selection.BytesPerToken);
        var choice = new Choice(this, facts, tokens)
        {
            SessionHash = facts.SessionKey is { Length: > 0 } key ? Math.Max(1, XxHash3.HashToUInt64(MemoryMarshal.AsBytes(key.AsSpan()))) : 0,
            Keys = model.NeedsPrefixes ? new ChoiceKeys(_knowledge, facts) : null,
        };
        _selection.Look(model, choice);
        if (PickDecode(model, choice, facts, None) is not null) { PickPrefill(model, choice, facts, None); }
        else { choice.SkipReason = facts.DecodeOnlyReason ?? "no decode node"; }
        if (choice.Keys is not null) { _metrics.Looked(tokens, choice.Prefill is null ? choice.DecodeHitTokens : choice.PrefillHitTokens); }
        return choice;
    }

    /// <summary>A node by role and host:port, as configuration and discovery know it now; null when they do not.</summary>
    public Node? TryFind(NodeRole role, string name) => _nodes.TryFind(role, name);

    internal Node? NextPrefill(Choice choice, ChoiceFacts facts, List<Node> tried)
    {
        var model = _nodes.Current;
        _selection.Look(model, choice);
        return PickPrefill(model, choice, facts, tried);
    }

    internal Node? NextDecode(Choice choice, ChoiceFacts facts, List<Node> tried)
    {
        var model = _nodes.Current;
        _selection.Look(model, choice);
        return PickDecode(model, choice, facts, tried);
    }

    private Node? PickPrefill(RouterModel model, Choice choice, ChoiceFacts facts, List<Node> tried)
    {
        choice.Prefill = null;
        choice.PrefillHitTokens = 0;
        choice.SkipReason = facts.DecodeOnlyReason ?? (facts.GivenPrefill is null ? WhySkip(model.Options, choice) : null);
        if (choice.SkipReason is not null) { return null; }
        if (facts.GivenPrefill is { } given && !tried.Contains(given))
        {
            return choice.Prefill = given;
        }
        if (_selection.Pick(model, NodeRole.Prefill, choice, facts, tried) is not { } picked || !_pairs.TryUse(picked.Node, choice.Decode!, _time.Milliseconds, model.Options))
        {
            choice.SkipReason = tried.Count > 0 ? "no other prefill node" : "no prefill node";
            return null;
        }
        (choice.Prefill, choice.PrefillHitTokens) = (picked.Node, picked.HitTokens);
        return choice.Prefill;
    }

    private Node? PickDecode(RouterModel model, Choice choice, ChoiceFacts facts, List<Node> tried)
    {
        var picked = _selection.Pick(model, NodeRole.Decode, choice, facts, tried);
        (choice.Decode, choice.DecodeHitTokens) = (picked?.Node, picked?.HitTokens ?? 0);
        return choice.Decode;
    }

    internal LegTicket StartLeg(Choice choice, ChoiceFacts facts, Node node)
    {
        var handsOver = choice.Prefill is not null;
        var tokens = node.Role == NodeRole.Prefill ? choice.PromptTokens - choice.PrefillHitTokens
            : handsOver ? 0   // the KV comes from the prefill node
            : choice.PromptTokens - choice.DecodeHitTokens;
        node.Begin(tokens);
        return new LegTicket(this, choice, node, _time.Clock.GetTimestamp(), tokens);
    }

    internal void LegSent(LegTicket leg)
    {
        if (leg.Choice.Keys is { } keys)
        {
            foreach (var made in keys.Made) { _knowledge.Routed(leg.Node, made, _nodes.Current.Options); }
        }
    }

    internal void FirstByte(LegTicket leg)
    {
        leg.Node.PromptDone(leg.QueuedTokens);
        _metrics.LegFirstByte(leg.Node.Role, _time.Clock.GetElapsedTime(leg.Started));
        if (leg.Node.Role == NodeRole.Decode) { leg.Choice.EndLease(0); }   // it has fetched what it will fetch
    }

    internal void LegFinished(LegTicket leg, int? promptTokens, int? cachedTokens, int? completionTokens, bool holdsKv)
    {
        var elapsed = _time.Clock.GetElapsedTime(leg.Started);
        leg.Node.Health.LegSucceeded();
        _metrics.LegDone(leg.Node.Role, elapsed);
        _metrics.Tokens(leg.Node, promptTokens ?? 0, cachedTokens ?? 0, completionTokens ?? 0);
        if (leg.Node.Role == NodeRole.Decode) { leg.Choice.Tenant.Limits?.Used((promptTokens ?? 0) + (completionTokens ?? 0)); }
        if (holdsKv) { leg.Choice.TakeLease(leg.Node); }
        if (promptTokens is not > 0) { return; }
        if (leg.Node.Role == NodeRole.Prefill) { leg.Node.Measured(promptTokens.Value - (cachedTokens ?? 0), elapsed.TotalSeconds); }
        leg.Choice.LearnLength(promptTokens.Value, _selection);
    }

    internal void LegFailed(LegTicket leg, LegFailure failure)
    {
        _metrics.NodeFailed(leg.Node);
        if (leg.Choice.Keys is { } keys && leg.Node.Slot >= 0)
        {
            foreach (var made in keys.Made) { _knowledge.Unrouted(leg.Node, made); }
        }
        if (leg.Node.Health.LegFailed(_time.Milliseconds, _nodes.Current.Options) is { } time)
        {
            _metrics.NodeEjected(leg.Node);
            HealthLog.NodeEjected(_logger, leg.Node.Role, leg.Node.Name, time.TotalSeconds, failure);
        }
    }

    internal void TransferFailed(Choice choice, string reason)
    {
        if (choice is not { Prefill: { } prefill, Decode: { } decode }) { return; }
        _metrics.TransferFailed(prefill.Name, decode.Name);
        if (_pairs.Of(prefill, decode).Failed(_time.Milliseconds, _nodes.Current.Options))
        {
            HealthLog.PairOpened(_logger, prefill.Name, decode.Name, _nodes.Current.Options.PairOpenTime.TotalSeconds, reason);
        }
    }

    internal void KvMoved(Choice choice, long tokens, long bytes)
    {
        _metrics.KvMoved(tokens, bytes);
        if (choice is not { Prefill: { } prefill, Decode: { } decode }) { return; }
        // The time to the decode node's first byte holds the transfer and a step of the engine: a floor of the rate.
        _pairs.Of(prefill, decode).Succeeded(bytes, choice.DecodeStarted is { } started ? _time.Clock.GetElapsedTime(started).TotalSeconds : 0);
    }

    internal long LeaseEnd() => _time.Milliseconds + (long)_nodes.Current.Options.LeaseTime.TotalMilliseconds;

    /// <summary>Why the decode node can do without leg 1; null: it cannot.</summary>
    private static string? WhySkip(RouterOptions options, Choice choice)
    {
        if (choice.PromptTokens <= 0) { return null; }
        var missing = choice.PromptTokens - choice.DecodeHitTokens;
        if (options.MaxDecodeHit < 1 && choice.DecodeHitTokens >= choice.PromptTokens * options.MaxDecodeHit) { return "prefix cached at the decode node"; }
        return missing < options.MinPrefillTokens ? choice.DecodeHitTokens > 0 ? "little left to compute" : "short prompt" : null;
    }
}
