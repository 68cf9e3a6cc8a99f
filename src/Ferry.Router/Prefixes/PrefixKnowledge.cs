using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Ferry.Router.Choosing;

namespace Ferry.Router.Prefixes;

/// <summary>The index, and how a request's prompt becomes its keys. Any thread.</summary>
internal sealed class PrefixKnowledge
{
    /// <summary>Adapters that events have named; more are taken for the base model, which costs hits and nothing else.</summary>
    private const int MaxAdapters = 1024;

    /// <summary>A quarter: such an entry is 24 bytes a block and node, one of the index 80 bytes a block for all of 128 nodes.</summary>
    private const int EngineKeyShare = 4;

    private readonly ConcurrentDictionary<string, byte> _adapters = new(StringComparer.Ordinal);
    private readonly Lazy<PrefixIndex> _index;
    private readonly RouterTime _time;

    /// <summary>The memory is taken when a prefix is first asked for or learned: a router that goes round robin has none.</summary>
    public PrefixKnowledge(RouterOptions options, RouterTime time)
    {
        _time = time;
        MaxNodes = (options.IndexNodes + 63) / 64 * 64;
        HasEvents = options.EventsPort > 0 || options.NodesFile.Length > 0 || options.Prefill.Concat(options.Decode).Any(node => node.KvEvents is not null);
        EngineKeyBytes = HasEvents ? options.IndexBytes / EngineKeyShare : 0;
        _index = new Lazy<PrefixIndex>(() => new PrefixIndex(options.IndexBytes - EngineKeyBytes, options.IndexNodes, HasEvents));
    }

    /// <summary>Slots that nodes may take.</summary>
    public int MaxNodes { get; }

    /// <summary>Whether some node may have KV events.</summary>
    public bool HasEvents { get; }

    /// <summary>Of the budget, what the table of the engines' own hashes gets.</summary>
    public long EngineKeyBytes { get; }

    public PrefixIndex Index => _index.Value;

    /// <summary>Null: nobody has asked for a prefix yet.</summary>
    public PrefixIndex? IndexIfMade => _index.IsValueCreated ? _index.Value : null;

    /// <summary>Called with what this router has sent where, to tell other routers.</summary>
    public Action<Node, PromptKeys>? OnRouted { get; set; }

    public uint Now => (uint)(_time.Milliseconds / 1000);

    /// <summary>Nothing is known of a node any more: it restarted, left, or its events have a gap.</summary>
    public void Forget(int slot) => IndexIfMade?.RemoveNode(slot);

    public void AddAdapter(string name)
    {
        if (_adapters.Count < MaxAdapters) { _adapters.TryAdd(name, 0); }
    }

    /// <summary>Keys of a prompt of token ids, for nodes with blocks of this length.</summary>
    public PromptKeys OfTokens(ChoiceFacts facts, ReadOnlySpan<int> tokens, int blockTokens)
    {
        // Events name an adapter, and no name for the base model; requests name both alike.
        var adapter = _adapters.ContainsKey(facts.Model) ? Encoding.UTF8.GetBytes(facts.Model) : [];
        return PromptKeys.OfTokens(tokens, blockTokens, PromptKeys.RootOfTokens(blockTokens, adapter), SaltOf(facts.CacheSalt.Span));
    }

    /// <summary>Keys of a prompt of text or messages: everything that changes its tokens goes into the root.</summary>
    public static PromptKeys OfText(ChoiceFacts facts, int blockBytes)
    {
        var root = PromptKeys.Chain(Encoding.UTF8.GetBytes(facts.Model), 0x7465_7874 + (ulong)blockBytes);
        root = PromptKeys.Chain(facts.CacheSalt.Span, root);
        foreach (var value in facts.Context) { root = PromptKeys.Chain(value.Span, root); }
        return PromptKeys.OfText(facts.Prompt.Span, blockBytes, root);
    }

    /// <summary>A prompt was sent to a node.</summary>
    public void Routed(Node node, PromptKeys keys, RouterOptions options, bool tellOthers = true)
    {
        if (node.Slot < 0) { return; }
        Index.Add(keys.Keys, node.Slot, KvTier.Routed, Now, (uint)options.HistoryLifetime.TotalSeconds);
        if (tellOthers) { OnRouted?.Invoke(node, keys); }
    }

    /// <summary>The node failed that prompt: it may have nothing of it.</summary>
    public void Unrouted(Node node, PromptKeys keys)
    {
        Index.Remove(keys.Keys, node.Slot, KvTier.Routed);
    }

    /// <summary>What a salt adds to the first block's hash; 0: there is none.</summary>
    public static ulong SaltOf(ReadOnlySpan<byte> json)
    {
        if (json.Length < 2 || json[0] != '"') { return 0; }
        if (!json.Contains((byte)'\\')) { return HashOfSalt(json[1..^1]); }
        var reader = new Utf8JsonReader(json);
        reader.Read();
        return HashOfSalt(Encoding.UTF8.GetBytes(reader.GetString()!));
    }

    public static ulong HashOfSalt(ReadOnlySpan<byte> salt) => PromptKeys.Chain(salt, 0x7361_6c74);
}
