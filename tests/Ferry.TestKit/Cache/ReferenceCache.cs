namespace Ferry.TestKit.Cache;

/// <summary>What a policy does, in the plainest way: a dictionary of blocks and, for a victim, a look at all that the rules say.</summary>
/// <remarks>Shares no code with the policies; each is written from its rules (docs/measurements/cache-policies.md).</remarks>
public abstract class ReferenceCache
{
    public static IReadOnlyDictionary<string, Func<int, ReferenceCache>> ByPolicy { get; } = new Dictionary<string, Func<int, ReferenceCache>>
    {
        ["lru"] = capacity => new Recency(capacity, newestGoes: false, usesCount: true),
        ["mru"] = capacity => new Recency(capacity, newestGoes: true, usesCount: true),
        ["fifo"] = capacity => new Recency(capacity, newestGoes: false, usesCount: false),
        ["lfu"] = capacity => new Frequency(capacity),
        ["s3fifo"] = capacity => new ThreeQueues(capacity),
    };

    /// <summary>Replays a trace: each request uses its longest prefix, its end first, then adds what it lacks, in order.</summary>
    public long Run(IReadOnlyList<int[]> requests)
    {
        var hits = 0L;
        foreach (var request in requests)
        {
            var found = request.TakeWhile(Contains).Count();
            hits += found;
            for (var index = found - 1; index >= 0; index--)
            {
                Use(request[index]);
            }
            foreach (var block in request.Skip(found))
            {
                if (!Contains(block))
                {
                    Add(block);
                }
            }
        }
        return hits;
    }

    protected abstract bool Contains(int block);

    protected abstract void Use(int block);

    protected abstract void Add(int block);

    /// <summary>Blocks by the time at which they came or were used.</summary>
    private sealed class Recency(int capacity, bool newestGoes, bool usesCount) : ReferenceCache
    {
        private readonly Dictionary<int, long> _times = [];
        private readonly SortedDictionary<long, int> _blocks = [];
        private readonly Stack<long> _newest = new();
        private long _time;

        protected override bool Contains(int block) => _times.ContainsKey(block);

        protected override void Use(int block)
        {
            if (usesCount)
            {
                _blocks.Remove(_times[block]);
                Enter(block);
            }
        }

        protected override void Add(int block)
        {
            if (_times.Count == capacity)
            {
                var (time, victim) = newestGoes ? Newest() : _blocks.First();
                _blocks.Remove(time);
                _times.Remove(victim);
            }
            Enter(block);
        }

        private KeyValuePair<long, int> Newest()
        {
            while (!_blocks.ContainsKey(_newest.Peek()))
            {
                _newest.Pop();
            }
            var time = _newest.Pop();
            return new(time, _blocks[time]);
        }

        private void Enter(int block)
        {
            _blocks.Add(++_time, block);
            _times[block] = _time;
            _newest.Push(_time);
        }
    }

    /// <summary>Blocks by how often they were used, then by when they reached that number.</summary>
    private sealed class Frequency(int capacity) : ReferenceCache
    {
        private readonly Dictionary<int, (int Uses, long Time)> _blocks = [];
        private readonly SortedSet<(int Uses, long Time, int Block)> _order = [];
        private long _time;

        protected override bool Contains(int block) => _blocks.ContainsKey(block);

        protected override void Use(int block)
        {
            var (uses, time) = _blocks[block];
            _order.Remove((uses, time, block));
            Enter(block, Math.Min(uses + 1, 4095));
        }

        protected override void Add(int block)
        {
            if (_blocks.Count == capacity)
            {
                var victim = _order.Min;
                _order.Remove(victim);
                _blocks.Remove(victim.Block);
            }
            Enter(block, 1);
        }

        private void Enter(int block, int uses)
        {
            _blocks[block] = (uses, ++_time);
            _order.Add((uses, _time, block));
        }
    }

    /// <summary>S3-FIFO by its paper's algorithm, with lists that are searched from the front.</summary>
    private sealed class ThreeQueues(int capacity) : ReferenceCache
    {
        private readonly Dictionary<int, int> _uses = [];
        private readonly LinkedList<int> _small = new();
        private readonly LinkedList<int> _main = new();
        private readonly LinkedList<int> _ghosts = new();
        private readonly Dictionary<int, LinkedListNode<int>> _ghostNodes = [];

        protected override bool Contains(int block) => _uses.ContainsKey(block);

        protected override void Use(int block) => _uses[block] = Math.Min(_uses[block] + 1, 3);

        protected override void Add(int block)
        {
            if (_uses.Count == capacity)
            {
                Evict();
            }
            var remembered = _ghostNodes.Remove(block, out var ghost);
            if (remembered)
            {
                _ghosts.Remove(ghost!);
            }
            (remembered ? _main : _small).AddLast(block);
            _uses.Add(block, 0);
        }

        private void Evict()
        {
            while (true)
            {
                if (_small.Count > 0 && (_main.Count == 0 || _small.Count * 10 >= _small.Count + _main.Count))
                {
                    var block = TakeFirst(_small);
                    if (_uses[block] <= 1)
                    {
                        Remember(block);
                        _uses.Remove(block);
                        return;
                    }
                    _uses[block] = 0;
                    _main.AddLast(block);
                }
                else
                {
                    var block = TakeFirst(_main);
                    if (_uses[block] == 0)
                    {
                        _uses.Remove(block);
                        return;
                    }
                    _uses[block]--;
                    _main.AddLast(block);
                }
            }
        }

        private void Remember(int block)
        {
            _ghostNodes[block] = _ghosts.AddLast(block);
            while (_ghosts.Count > _main.Count)
            {
                _ghostNodes.Remove(TakeFirst(_ghosts));
            }
        }

        private static int TakeFirst(LinkedList<int> list)
        {
            var first = list.First!.Value;
            list.RemoveFirst();
            return first;
        }
    }
}
