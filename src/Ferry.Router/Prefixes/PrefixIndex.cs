using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Ferry.Router.Prefixes;

/// <summary>Which node has which block, in a fixed amount of memory.</summary>
/// <remarks>
/// <para>
/// A block is the 64-bit hash of itself and everything before it. The table is a set-associative cache: a hash may stand in two buckets
/// of <see cref="Ways"/> entries, whose hashes fill one cache line each, and goes to the second when the first is half full and the fuller one. With one bucket instead of two, a
/// table that is half full would already lose one block in fifty, and with it all that stand behind it in a prompt. When both are full,
/// the entry goes that was asked for longest ago (of equals, the one deepest in its prompt, for the same reason). So nothing is ever
/// rehashed, moved or chained, each operation touches two buckets at most, and the memory is what was asked for at start, exactly.
/// </para>
/// <para>
/// Each entry has one bit a node and tier. Readers take no lock: they read the hash, the bits, and the hash again, and an entry that
/// changed hands in between is a miss. Writers lock one of <see cref="Stripes"/> stripes. A wrong answer costs time, never a wrong
/// token: the engines look into their own caches.
/// </para>
/// </remarks>
internal sealed class PrefixIndex
{
    public const int Ways = 8;
    private const int GroupBuckets = 64;   // both buckets of a hash lie in one group: one lock, mostly one page
    private const int Batch = 16;          // look-ups that wait for memory at the same time
    private const int EmptyBeforeOther = 4; // of 8: while the table is less than half full, nearly all stand where they are looked for first
    private const int Stripes = 256;
    private const int TiersWithEvents = 4;
    private const int StampsASecond = 64;
    private const int AlignedWords = 16;   // two cache lines

    // One array, bucket after bucket, so that an operation touches neighbouring cache lines of one page: 8 hashes (one line), 8 pairs of
    // stamps (one line; low half: last asked for, high half: last routed), then the bits of the 8 entries.
    private readonly ulong[] _table;
    private readonly int _start;
    private readonly int _bucketWords;
    private readonly Lock[] _stripes;
    private readonly ulong _groups;
    private readonly int _groupBuckets;
    private readonly int _buckets;
    private readonly int _words;
    private readonly int _tiers;
    private readonly int _entryWords;
    private long _evictions;

    /// <param name="budgetBytes">All memory of the entries; the last bucket that does not fit is left away.</param>
    /// <param name="maxNodes">Slots 0 to this are told apart.</param>
    /// <param name="hasEvents">False: only <see cref="KvTier.Routed"/> is kept, so that more blocks fit.</param>
    public PrefixIndex(long budgetBytes, int maxNodes, bool hasEvents)
    {
        _words = (maxNodes + 63) / 64;
        _tiers = hasEvents ? TiersWithEvents : 1;
        _entryWords = _words * _tiers;
        EntryBytes = sizeof(ulong) * (2 + _entryWords);
        _bucketWords = Ways * (2 + _entryWords);
        var buckets = (int)Math.Clamp(budgetBytes / (EntryBytes * Ways), 1, (Array.MaxLength - AlignedWords) / _bucketWords);
        _groupBuckets = Math.Min(GroupBuckets, 1 << System.Numerics.BitOperations.Log2((uint)buckets));
        _groups = (ulong)(buckets / _groupBuckets);
        _buckets = (int)_groups * _groupBuckets;
        _table = GC.AllocateArray<ulong>((_buckets * _bucketWords) + AlignedWords, pinned: true);
        HugePages.Advise(_table);
        // Hashes of a bucket must fill one cache line, not lie across two; and its stamps the line that processors fetch along with it.
        _start = (int)(-Marshal.UnsafeAddrOfPinnedArrayElement(_table, 0) & ((AlignedWords * sizeof(ulong)) - 1)) / sizeof(ulong);
        _stripes = new Lock[Stripes];
        for (var index = 0; index < Stripes; index++) { _stripes[index] = new Lock(); }
    }

    /// <summary>Blocks that fit.</summary>
    public long Capacity => (long)_buckets * Ways;

    public int EntryBytes { get; }

    /// <summary>Bytes of all entries; they are there from the start.</summary>
    public long Bytes => Capacity * EntryBytes;

    public int MaxNodes => _words * 64;

    public int Words => _words;

    /// <summary>Blocks that were given up because their bucket was full.</summary>
    public long Evictions => Volatile.Read(ref _evictions);

    /// <summary>Blocks held now. Walks the table.</summary>
    public long Count()
    {
        long count = 0;
        for (var bucket = 0; bucket < _buckets; bucket++)
        {
            foreach (var hash in _table.AsSpan(FirstOf(bucket), Ways)) { count += hash != 0 ? 1 : 0; }
        }
        return count;
    }

    /// <summary>Notes that a node has a block.</summary>
    /// <param name="hash">Not 0.</param>
    /// <param name="depth">Position of the block in its prompt.</param>
    /// <param name="now">Seconds since the router's start.</param>
    /// <param name="routedLifetime">Of <see cref="KvTier.Routed"/>: what was routed longer ago is forgotten with this.</param>
    public void Add(ulong hash, int slot, KvTier tier, int depth, uint now, uint routedLifetime) => Add([hash], slot, tier, now, routedLifetime, depth);

    /// <summary>Notes that a node has blocks of a prompt that follow each other.</summary>
    /// <param name="depth">Position of the first in its prompt.</param>
    public void Add(ReadOnlySpan<ulong> hashes, int slot, KvTier tier, uint now, uint routedLifetime, int depth = 0)
    {
        if ((uint)slot >= (uint)MaxNodes || (int)tier >= _tiers) { return; }
        Span<Place> places = stackalloc Place[Batch];
        for (var start = 0; start < hashes.Length; start += Batch)
        {
            var batch = hashes[start..Math.Min(start + Batch, hashes.Length)];
            FindAll(batch, places);
            for (var index = 0; index < batch.Length; index++) { AddAt(places[index], batch[index], slot, tier, depth + start + index, now, routedLifetime); }
        }
    }

    /// <summary>Notes that a node no longer has a block in a tier.</summary>
    public void Remove(ulong hash, int slot, KvTier tier) => Remove([hash], slot, tier);

    /// <summary>Notes that a node no longer has these blocks in a tier. Many at once take half the time of one by one.</summary>
    /// <param name="stays">Empty, or one a block: whether the node still has it in a tier that events speak of.</param>
    public void Remove(ReadOnlySpan<ulong> hashes, int slot, KvTier tier, Span<bool> stays = default)
    {
        stays.Clear();
        if ((uint)slot >= (uint)MaxNodes || (int)tier >= _tiers) { return; }
        Span<Place> places = stackalloc Place[Batch];
        for (var start = 0; start < hashes.Length; start += Batch)
        {
            var batch = hashes[start..Math.Min(start + Batch, hashes.Length)];
            FindAll(batch, places);
            for (var index = 0; index < batch.Length; index++)
            {
                var stay = RemoveAt(places[index], batch[index], slot, tier);
                if (!stays.IsEmpty) { stays[start + index] = stay; }
            }
        }
    }

    /// <param name="seen">Where the hash stood a moment ago.</param>
    private bool RemoveAt(Place seen, ulong hash, int slot, KvTier tier)
    {
        var (bucket, other) = BucketsOf(hash);
        lock (StripeOf(bucket))
        {
            var place = seen.Way >= 0 && HashAt(seen) == hash ? seen : Find(bucket, other, hash);
            if (place.Way < 0) { return false; }
            var bits = Bits(place);
            bits[((int)tier * _words) + (slot >> 6)] &= ~(1UL << (slot & 63));
            // An event that a block left the device also ends the belief that it was computed there.
            if (tier == KvTier.Device) { bits[slot >> 6] &= ~(1UL << (slot & 63)); }
            if (bits.IndexOfAnyExcept(0UL) < 0) { Volatile.Write(ref HashAt(place), 0); }
            for (var any = (int)KvTier.Device; any < _tiers; any++)
            {
                if ((bits[(any * _words) + (slot >> 6)] >> (slot & 63) & 1) != 0) { return true; }
            }
            return false;
        }
    }

    /// <summary>Forgets all that is known of a node. Walks the table; readers and writers go on meanwhile.</summary>
    public void RemoveNode(int slot)
    {
        if ((uint)slot >= (uint)MaxNodes) { return; }
        var keep = ~(1UL << (slot & 63));
        for (var bucket = 0; bucket < _buckets; bucket++)
        {
            lock (StripeOf(bucket))
            {
                for (var way = 0; way < Ways; way++)
                {
                    var place = new Place(FirstOf(bucket), way);
                    if (HashAt(place) == 0) { continue; }
                    var bits = Bits(place);
                    for (var word = slot >> 6; word < bits.Length; word += _words) { bits[word] &= keep; }
                    if (bits.IndexOfAnyExcept(0UL) < 0) { Volatile.Write(ref HashAt(place), 0); }
                }
            }
        }
    }

    /// <summary>For each candidate, how many blocks from the first on it has without a gap. Allocates nothing, takes no lock.</summary>
    /// <param name="hashes">The prompt's blocks in order.</param>
    /// <param name="hits">By slot; only those of candidates are written.</param>
    /// <returns>Blocks that at least one candidate has.</returns>
    public int Match(ReadOnlySpan<ulong> hashes, NodeBits candidates, NodeBits eventful, Span<PrefixHit> hits, in MatchTimes times)
    {
        hashes = hashes[..Math.Min(hashes.Length, PromptKeys.MaxBlocks)];   // what the counters can hold
        var words = _words;
        Span<ulong> alive = stackalloc ulong[words];
        Span<ulong> planes = stackalloc ulong[3 * BitCounters.Planes * words];
        candidates.Words[..words].CopyTo(alive);
        var each = BitCounters.Planes * words;
        var device = new BitCounters(planes[..each], words);
        var host = new BitCounters(planes[each..(2 * each)], words);
        var storage = new BitCounters(planes[(2 * each)..], words);
        Span<Place> places = stackalloc Place[Batch];
        Span<ulong> copied = stackalloc ulong[3 * words];
        var depth = 0;
        var goesOn = true;
        while (goesOn && depth < hashes.Length)
        {
            var batch = hashes[depth..Math.Min(depth + Batch, hashes.Length)];
            FindAll(batch, places);
            for (var index = 0; goesOn && index < batch.Length; index++)
            {
                goesOn = MatchBlock(places[index], batch[index], depth, alive, copied, eventful, in times, device, host, storage);
                depth += goesOn ? 1 : 0;
            }
        }
        var used = 32 - System.Numerics.BitOperations.LeadingZeroCount((uint)depth);
        for (var word = 0; word < words; word++)
        {
            for (var left = candidates.Words[word]; left != 0; left &= left - 1)
            {
                var slot = (word << 6) + System.Numerics.BitOperations.TrailingZeroCount(left);
                hits[slot] = _tiers > 1 ? new PrefixHit(device.Of(slot, used), host.Of(slot, used), storage.Of(slot, used)) : new PrefixHit(device.Of(slot, used), 0, 0);
            }
        }
        return depth;
    }

    /// <param name="seen">Where the hash stood a moment ago.</param>
    private void AddAt(Place seen, ulong hash, int slot, KvTier tier, int depth, uint now, uint routedLifetime)
    {
        var (bucket, other) = BucketsOf(hash);
        lock (StripeOf(bucket))
        {
            var place = seen.Way >= 0 && HashAt(seen) == hash ? seen : Find(bucket, other, hash);
            if (place.Way < 0)
            {
                place = Replace(bucket, other);
                Volatile.Write(ref HashAt(place), 0);   // readers see no hash while the bits are another block's
                var bits = Bits(place);
                bits.Clear();
                SetBit(bits, slot, tier);
                StampsAt(place) = Stamps(Stamp(now, depth), now);
                Volatile.Write(ref HashAt(place), hash);
                return;
            }
            var routed = (uint)(StampsAt(place) >> 32);
            if (tier == KvTier.Routed)
            {
                if (now - routed > routedLifetime) { Bits(place)[.._words].Clear(); }
                routed = now;
            }
            SetBit(Bits(place), slot, tier);
            StampsAt(place) = Stamps(Stamp(now, depth), routed);
        }
    }

    /// <summary>Where the blocks of a batch stand. Each line that they need is asked for before the first is waited for: the misses of the whole batch overlap.</summary>
    private void FindAll(ReadOnlySpan<ulong> batch, Span<Place> places)
    {
        foreach (var hash in batch)
        {
            var (bucket, other) = BucketsOf(hash);
            Touch(FirstOf(bucket));
            Touch(FirstOf(other));
        }
        for (var index = 0; index < batch.Length; index++)
        {
            var (bucket, other) = BucketsOf(batch[index]);
            places[index] = Find(bucket, other, batch[index]);
        }
        foreach (ref readonly var place in places[..batch.Length])
        {
            var way = Math.Max(place.Way, 0);   // of a block that stands nowhere: which lines it will get is not known yet
            Touch(place.First + Ways + way);
            Touch(place.First + (2 * Ways) + (way * _entryWords));
        }
    }

    /// <summary>Brings a word's line into the cache. Nothing waits for what it reads, so the processor goes on to the next.</summary>
    private void Touch(int word) => _ = Volatile.Read(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_table), word));

    private bool MatchBlock(
        Place place, ulong hash, int depth, Span<ulong> alive, Span<ulong> copied, NodeBits eventful, in MatchTimes times, BitCounters device, BitCounters host, BitCounters storage)
    {
        if (place.Way < 0) { return false; }
        ref var bits = ref _table[place.First + (2 * Ways) + (place.Way * _entryWords)];
        var stamps = Volatile.Read(ref StampsAt(place));
        var age = times.Now - (uint)(stamps >> 32);
        // A node with events says itself what it has: that it was sent there counts only until its events can have come.
        var routedOfAll = age <= times.HistoryLifetime;
        var routedOfEventful = age <= times.PredictionLifetime;
        // Copied before the hash is looked at again: what is counted is what was checked.
        ulong any = 0;
        for (var word = 0; word < _words; word++)
        {
            var routed = Unsafe.Add(ref bits, word);
            var onDevice = (routedOfAll ? routed & ~eventful.Words[word] : 0) | (routedOfEventful ? routed & eventful.Words[word] : 0);
            var onHost = 0UL;
            var onStorage = 0UL;
            if (_tiers > 1)
            {
                onDevice |= Unsafe.Add(ref bits, _words + word);
                onHost = Unsafe.Add(ref bits, (2 * _words) + word);
                onStorage = Unsafe.Add(ref bits, (3 * _words) + word);
            }
            var left = alive[word] & (onDevice | onHost | onStorage);
            any |= left;
            copied[word] = left;
            copied[_words + word] = onDevice;
            copied[(2 * _words) + word] = onHost;
        }
        Volatile.ReadBarrier();
        if (any == 0 || Volatile.Read(ref HashAt(place)) != hash) { return false; }
        for (var word = 0; word < _words; word++)
        {
            var left = copied[word];
            var onDevice = left & copied[_words + word];
            var onHost = left & ~onDevice & copied[(2 * _words) + word];
            alive[word] = left;
            device.Add(word, onDevice);
            host.Add(word, onHost);
            storage.Add(word, left & ~onDevice & ~onHost);
        }
        var stamp = Stamp(times.Now, depth);
        if ((uint)stamps != stamp)
        {
            // Lost against a writer it is only a stamp that is a little too old.
            Interlocked.CompareExchange(ref StampsAt(place), Stamps(stamp, (uint)(stamps >> 32)), stamps);
        }
        return true;
    }

    /// <summary>The two buckets of a hash; both the same in a table of one.</summary>
    private (int Bucket, int Other) BucketsOf(ulong hash)
    {
        // The group comes from the upper bits, the buckets in it from the lower ones.
        var group = (int)Math.BigMul(hash, _groups, out _) * _groupBuckets;
        var bucket = (int)hash & (_groupBuckets - 1);
        var other = (bucket + 1 + ((int)(hash >> 8) & 31)) & (_groupBuckets - 1);
        return (group + bucket, group + other);
    }

    private Lock StripeOf(int bucket) => _stripes[(bucket / _groupBuckets) & (Stripes - 1)];

    private int FirstOf(int bucket) => _start + (bucket * _bucketWords);

    private ref ulong HashAt(Place place) => ref _table[place.First + place.Way];

    private ref ulong StampsAt(Place place) => ref _table[place.First + Ways + place.Way];

    private Span<ulong> Bits(Place place) => _table.AsSpan(place.First + (2 * Ways) + (place.Way * _entryWords), _entryWords);

    private void SetBit(Span<ulong> bits, int slot, KvTier tier) => bits[((int)tier * _words) + (slot >> 6)] |= 1UL << (slot & 63);

    private static ulong Stamps(uint touched, uint routed) => ((ulong)routed << 32) | touched;

    private static uint Stamp(uint now, int depth) => (now * StampsASecond) + (uint)(StampsASecond - 1 - Math.Min(StampsASecond - 1, depth >> 6));

    /// <summary>Where a hash stands; way -1: nowhere.</summary>
    private Place Find(int bucket, int other, ulong hash)
    {
        // Both at once and without a branch: which of them it is cannot be foreseen, and two misses side by side take as long as one.
        var (first, second) = (FirstOf(bucket), FirstOf(other));
        var (ways, otherWays) = (WaysThatHold(first, hash), WaysThatHold(second, hash));
        var way = System.Numerics.BitOperations.TrailingZeroCount(ways | (otherWays << Ways));
        return new Place(ways != 0 ? first : second, way < 2 * Ways ? way & (Ways - 1) : -1);
    }

    private uint WaysThatHold(int first, ulong hash)
    {
        ref var start = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_table), first);
        var wanted = Vector256.Create(hash);
        var low = Vector256.Equals(Vector256.LoadUnsafe(ref start), wanted).ExtractMostSignificantBits();
        var high = Vector256.Equals(Vector256.LoadUnsafe(ref start, 4), wanted).ExtractMostSignificantBits();
        return low | (high << 4);
    }

    /// <summary>An empty way of the emptier bucket, else the one of both that was asked for longest ago.</summary>
    private Place Replace(int bucket, int other)
    {
        var (first, second) = (FirstOf(bucket), FirstOf(other));
        var (empty, otherEmpty) = (WaysThatHold(first, 0), WaysThatHold(second, 0));
        if ((empty | otherEmpty) != 0)
        {
            var count = System.Numerics.BitOperations.PopCount(empty);
            return count >= EmptyBeforeOther || count >= System.Numerics.BitOperations.PopCount(otherEmpty)
                ? new Place(first, System.Numerics.BitOperations.TrailingZeroCount(empty))
                : new Place(second, System.Numerics.BitOperations.TrailingZeroCount(otherEmpty));
        }
        Interlocked.Increment(ref _evictions);
        var oldest = new Place(first, 0);
        for (var way = 0; way < 2 * Ways; way++)
        {
            var place = new Place(way < Ways ? first : second, way & (Ways - 1));
            if ((uint)StampsAt(place) < (uint)StampsAt(oldest)) { oldest = place; }
        }
        return oldest;
    }

    /// <summary>An entry: where its bucket begins, and which of its ways.</summary>
    private readonly record struct Place(int First, int Way);
}
