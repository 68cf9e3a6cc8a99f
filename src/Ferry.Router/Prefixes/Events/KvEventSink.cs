using System.Buffers;
using System.Text;
using MessagePack;

namespace Ferry.Router.Prefixes.Events;

/// <summary>Puts what events say into the index. One thread.</summary>
/// <remarks>An engine that makes room says so block by block. Such removals are gathered, since the index takes many at once in half the time: <see cref="Settle"/> ends a batch.</remarks>
/// <param name="blockTokens">Told the block length of a slot's node.</param>
internal sealed class KvEventSink(PrefixKnowledge knowledge, EngineKeyTable engineKeys, Action<int, int> blockTokens)
{
    private const int BlocksAtOnce = 64;

    private readonly ulong[] _removedHashes = new ulong[BlocksAtOnce];
    private readonly ulong[] _removedKeys = new ulong[BlocksAtOnce];
    private int _removedCount;
    private int _removedSlot;
    private KvTier _removedTier;

    /// <summary>Blocks that were left out because nobody knows what stands before them.</summary>
    public long Unplaced { get; private set; }

    public long Applied { get; private set; }

    public void Stored(int slot, in StoredBlocks stored)
    {
        Settle();
        // Further groups are the windows of hybrid models: a block there does not say that the prefix is there.
        if (stored.Group != 0 || stored.BlockTokens is < 1 or > 65_536 || stored.Hashes is null || stored.Tokens is null) { return; }
        if ((long)stored.HashCount * stored.BlockTokens > stored.TokenCount)
        {
            Unplaced += stored.HashCount;
            return;
        }
        var adapter = stored.Adapter is { Length: > 0 } name ? name : null;
        if (adapter is not null) { knowledge.AddAdapter(adapter); }
        var key = stored.HasParent
            ? engineKeys.Find(slot, stored.Parent)
            : PromptKeys.RootOfTokens(stored.BlockTokens, adapter is null ? [] : Encoding.UTF8.GetBytes(adapter));
        if (key == 0)
        {
            Unplaced += stored.HashCount;
            return;
        }
        blockTokens(slot, stored.BlockTokens);
        var extras = new MessagePackReader(stored.Extras);
        var extraCount = stored.Extras.IsEmpty ? 0 : extras.ReadArrayHeader();
        Span<ulong> keys = stackalloc ulong[BlocksAtOnce];
        for (var first = 0; first < stored.HashCount; first += BlocksAtOnce)
        {
            var count = Math.Min(BlocksAtOnce, stored.HashCount - first);
            for (var index = 0; index < count; index++)
            {
                var block = first + index;
                var extra = block < extraCount ? ExtraOf(ref extras, adapter) : 0;
                key = PromptKeys.NextOfTokens(key, stored.Tokens.AsSpan(block * stored.BlockTokens, stored.BlockTokens), extra);
                keys[index] = key;
            }
            knowledge.Index.Add(keys[..count], slot, stored.Tier, knowledge.Now, uint.MaxValue, first);
            // After that: what the table gives up for them, maybe one of themselves, is taken from the index.
            for (var index = 0; index < count; index++) { engineKeys.Set(slot, stored.Hashes[first + index], keys[index]); }
            Applied += count;
        }
    }

    public void Removed(int slot, in StoredBlocks removed)
    {
        if (removed.Group != 0 || removed.Hashes is null) { return; }
        foreach (var hash in removed.Hashes.AsSpan(0, removed.HashCount))
        {
            if (engineKeys.Find(slot, hash) is not (not 0 and var key)) { continue; }
            if (_removedCount == BlocksAtOnce || slot != _removedSlot || removed.Tier != _removedTier)
            {
                Settle();
                (_removedSlot, _removedTier) = (slot, removed.Tier);
            }
            _removedHashes[_removedCount] = hash;
            _removedKeys[_removedCount++] = key;
            Applied++;
        }
    }

    /// <summary>Takes the gathered removals out of the index.</summary>
    public void Settle()
    {
        if (_removedCount == 0) { return; }
        Span<bool> stays = stackalloc bool[BlocksAtOnce];
        stays = stays[.._removedCount];
        knowledge.Index.Remove(_removedKeys.AsSpan(0, _removedCount), _removedSlot, _removedTier, stays);
        for (var index = 0; index < stays.Length; index++)
        {
            if (!stays[index]) { engineKeys.Remove(_removedSlot, _removedHashes[index]); }
        }
        _removedCount = 0;
    }

    public void Cleared(int slot)
    {
        Settle();
        knowledge.Forget(slot);
        engineKeys.RemoveNode(slot);
        Applied++;
    }

    /// <summary>What a block's hash depends on beside its tokens. The adapter stands in the root already; a cache salt is the usual rest.</summary>
    private static ulong ExtraOf(ref MessagePackReader extras, string? adapter)
    {
        if (extras.TryReadNil()) { return 0; }
        var whole = extras.CreatePeekReader();
        var raw = whole.ReadRaw();
        var count = extras.ReadArrayHeader();
        string? only = null;
        var others = 0;
        for (var index = 0; index < count; index++)
        {
            if (extras.NextMessagePackType != MessagePackType.String)
            {
                extras.Skip();
                others++;
                continue;
            }
            var text = extras.ReadString();
            if (text == adapter) { continue; }
            others++;
            only = text;
        }
        return others switch
        {
            0 => 0,
            1 when only is not null => PrefixKnowledge.HashOfSalt(Encoding.UTF8.GetBytes(only)),
            _ => PromptKeys.Chain(raw.ToArray(), 0x6578_7472),   // images and the like: no request of ours will match, nor should it
        };
    }
}
