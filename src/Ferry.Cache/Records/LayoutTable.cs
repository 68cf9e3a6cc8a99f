using Ferry.Kv.Layout;
using Ferry.Kv.Records;

namespace Ferry.Cache.Records;

/// <summary>Layouts by number: a fleet has a handful, and a million records share them. Not thread-safe: the store's lock guards it.</summary>
/// <remarks>Opaque layouts differ only in their length, which the record has, so that all of them are one number however many lengths clients make up.</remarks>
internal sealed class LayoutTable
{
    public const int OpaqueNumber = -2;

    private readonly Interned<KvLayout> _layouts = new();
    private readonly Interned<KvLayout> _families = new(); // One object a family, so that comparing families is comparing references.
    private readonly List<int> _familyOf = []; // By the number of the layout.

    public int Count => _layouts.Count;

    /// <summary>Changes whenever a number may have come to mean another layout.</summary>
    public long Version { get; private set; }

    public int Take(KvLayout layout)
    {
        if (layout.IsOpaque)
        {
            return OpaqueNumber;
        }
        var number = _layouts.Take(layout);
        if (number == _familyOf.Count)
        {
            _familyOf.Add(Interned<KvLayout>.None);
        }
        if (_familyOf[number] == Interned<KvLayout>.None)
        {
            _familyOf[number] = _families.Take(ShardCover.FamilyOf(layout));
        }
        return number;
    }

    public void Leave(int number)
    {
        if (number != OpaqueNumber && _layouts.Leave(number))
        {
            Version++;
            _families.Leave(_familyOf[number]);
            _familyOf[number] = Interned<KvLayout>.None;
        }
    }

    /// <summary>The number of the layout, as its records have it.</summary>
    public bool TryFind(KvLayout layout, out int number)
    {
        number = OpaqueNumber;
        return layout.IsOpaque || _layouts.TryFind(layout, out number);
    }

    public KvLayout LayoutOf(in RecordSlot slot) => slot.Layout == OpaqueNumber ? KvLayout.Opaque(slot.RecordBytes - KvRecord.HeaderBytes) : _layouts[slot.Layout];

    /// <summary>The layout without the head span: shards of one family make up the whole chunk together, and have one object here.</summary>
    public KvLayout FamilyOf(in RecordSlot slot) => slot.Layout == OpaqueNumber ? LayoutOf(slot) : _families[_familyOf[slot.Layout]];
}
