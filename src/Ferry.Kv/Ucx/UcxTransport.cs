namespace Ferry.Kv.Ucx;

/// <summary>One transport of UCX: what <c>ucx_info -d</c> prints behind "Transport:".</summary>
/// <param name="Name">Exact, case-sensitive.</param>
/// <param name="Since">First release that has it.</param>
/// <param name="RemovedIn">First release without it, or null.</param>
/// <param name="CarriesMessages">
/// Whether it alone can carry NIXL's connections: buffered active messages together with notice of a dead peer. A list without any such
/// transport makes NIXL's createBackend("UCX") fail.
/// </param>
public sealed record UcxTransport(
    string Name, UcxTransportKind Kind, UcxVendor Vendor, UcxVersion Since, UcxVersion? RemovedIn, bool CarriesMessages)
{
    public bool IsIn(UcxVersion version) => version >= Since && (RemovedIn is not { } removed || version < removed);
}
