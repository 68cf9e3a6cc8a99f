using Ferry.Router.Discovery;
using Ferry.Router.Health;

namespace Ferry.Router;

/// <summary>One upstream server, from configuration and discovery only: no request can name another. It outlives reloads, with its counters. Any thread.</summary>
public sealed class Node
{
    private int _running;
    private long _queuedTokens;
    private int _leases;
    private long _lastLeaseEnd;
    private NodeSpec _spec;

    public Node(NodeSpec spec, NodeRole role, int slot = -1, long since = long.MinValue / 2)
    {
        _spec = spec;
        Address = spec.Address;
        Role = role;
        Slot = slot;
        Health = new NodeHealth(since);
    }

    public Uri Address { get; }

    public NodeRole Role { get; }

    /// <summary>host:port, for headers, metrics and logs.</summary>
    public string Name => Address.Authority;

    /// <summary>Its bit in the prefix index; -1: the index had no room for it.</summary>
    public int Slot { get; }

    /// <summary>What configuration or discovery said last.</summary>
    public NodeSpec Spec { get => Volatile.Read(ref _spec); internal set => Volatile.Write(ref _spec, value); }

    /// <summary>Legs of this router that the node is working on.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Prompt tokens to be computed for legs that have had no first byte yet.</summary>
    public long QueuedTokens => Volatile.Read(ref _queuedTokens);

    /// <summary>Prompts whose KV the node holds for a decode node that has not fetched it yet.</summary>
    public int Leases => Volatile.Read(ref _leases);

    /// <summary>Set by an operator: it ends what it has and gets nothing new.</summary>
    public bool IsDraining { get; internal set; }

    internal NodeHealth Health { get; }

    /// <summary>Tokens of one block, as its KV events say; 0: unknown.</summary>
    internal int BlockTokens { get; set; }

    /// <summary>Its KV events are being followed without a gap.</summary>
    internal bool HasEvents { get; set; }

    /// <summary>Prompt tokens computed a second, measured; 0: not yet.</summary>
    internal double TokensPerSecond { get; private set; }

    public Uri At(string path) => new(Address, path);

    internal bool TakesWork(long now) => !IsDraining && !Spec.IsLeaving && Health.IsUsable(now);

    /// <summary>Nothing runs there, and nobody can still come for KV that it holds.</summary>
    internal bool IsEmpty(long now) => Running == 0 && Leases == 0 && Volatile.Read(ref _lastLeaseEnd) <= now;

    internal void Begin(long promptTokens)
    {
        Interlocked.Increment(ref _running);
        Interlocked.Add(ref _queuedTokens, promptTokens);
    }

    internal void PromptDone(long promptTokens) => Interlocked.Add(ref _queuedTokens, -promptTokens);

    internal void End() => Interlocked.Decrement(ref _running);

    internal void LeaseTaken() => Interlocked.Increment(ref _leases);

    /// <param name="heldUntil">The node itself lets go at that time; 0: the decode node has fetched the KV.</param>
    internal void LeaseEnded(long heldUntil)
    {
        Interlocked.Decrement(ref _leases);
        var seen = Volatile.Read(ref _lastLeaseEnd);
        while (heldUntil > seen)
        {
            var before = Interlocked.CompareExchange(ref _lastLeaseEnd, heldUntil, seen);
            if (before == seen) { return; }
            seen = before;
        }
    }

    /// <summary>A prompt was computed. Races lose a sample, not more.</summary>
    internal void Measured(long tokens, double seconds)
    {
        const double Share = 0.1;   // of a new sample: ten legs to follow a change
        if (tokens > 0 && seconds > 0)
        {
            TokensPerSecond = TokensPerSecond == 0 ? tokens / seconds : (TokensPerSecond * (1 - Share)) + (tokens / seconds * Share);
        }
    }
}
