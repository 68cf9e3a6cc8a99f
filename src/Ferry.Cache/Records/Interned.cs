namespace Ferry.Cache.Records;

/// <summary>Values that very many entries share, by number, each counted by those who use it. Not thread-safe: the store's lock guards it.</summary>
internal sealed class Interned<T>
    where T : notnull
{
    public const int None = -1;

    private readonly Dictionary<T, int> _numbers = [];
    private readonly List<Entry> _entries = [];
    private int _free = None;

    public int Count => _numbers.Count;

    public T this[int number] => _entries[number].Value!;

    /// <summary>The value's number; one more user.</summary>
    public int Take(T value)
    {
        if (_numbers.TryGetValue(value, out var number))
        {
            Use(number);
            return number;
        }
        number = _free;
        if (number == None)
        {
            number = _entries.Count;
            _entries.Add(default);
        }
        else
        {
            _free = _entries[number].Next;
        }
        _entries[number] = new Entry(value, 1, None);
        _numbers.Add(value, number);
        return number;
    }

    public void Use(int number)
    {
        var entry = _entries[number];
        _entries[number] = entry with { Users = entry.Users + 1 };
    }

    /// <summary>One user less; the last takes the value along.</summary>
    /// <returns>True when the value is gone.</returns>
    public bool Leave(int number)
    {
        var entry = _entries[number];
        if (entry.Users > 1)
        {
            _entries[number] = entry with { Users = entry.Users - 1 };
            return false;
        }
        _numbers.Remove(entry.Value!);
        _entries[number] = new Entry(default, 0, _free);
        _free = number;
        return true;
    }

    public bool TryFind(T value, out int number) => _numbers.TryGetValue(value, out number);

    private readonly record struct Entry(T? Value, int Users, int Next);
}
