namespace Ferry.Kv.Layout;

/// <summary>Names of the axis orders in text.</summary>
public static class KvOrders
{
    /// <summary>Every order by the name that <see cref="Name"/> gives it.</summary>
    public static IReadOnlyDictionary<string, KvOrder> ByName { get; } =
        Enum.GetValues<KvOrder>().ToDictionary(order => order.Name(), StringComparer.Ordinal);

    /// <summary>The name in text forms; the number for a value that is none of ours.</summary>
    public static string Name(this KvOrder order) => order switch
    {
        KvOrder.TwoLtd => "2ltd",
        KvOrder.T2d => "t2d",
        KvOrder.Nhd => "nhd",
        KvOrder.Hnd => "hnd",
        KvOrder.Opaque => "opaque",
        _ => ((int)order).ToString(),
    };
}
