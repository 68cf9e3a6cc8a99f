namespace Ferry.Cluster.Verification;

/// <summary>A port of an RDMA device as its kernel or a tool describes it.</summary>
/// <param name="State">ACTIVE, DOWN, INIT, ARMED; in capitals.</param>
internal sealed record RdmaPort(string Device, int Port, string State, string PhysicalState, string LinkLayer, string Rate)
{
    public string Name => $"{Device}:{Port}";

    public bool IsActive => State == "ACTIVE";

    public override string ToString() => $"{Name} {State}{(PhysicalState.Length > 0 ? $" ({PhysicalState})" : "")}{(LinkLayer.Length > 0 ? $", {LinkLayer}" : "")}{(Rate.Length > 0 ? $", {Rate}" : "")}";
}
