using Ferry.Transfer;

namespace Ferry.Cli.Commands.Transport;

/// <summary>What <c>ferry transport bench</c> was asked to measure.</summary>
/// <param name="Peer">HOST:PORT of a server on another host, or null: a second process of this host is started.</param>
/// <param name="Rounds">How often each cell is measured; the median counts.</param>
internal sealed record BenchQuestion(
    IReadOnlyList<BenchMedium> Media, IReadOnlyList<long> Sizes, IReadOnlyList<int> Depths, IReadOnlyList<int> Streams,
    IReadOnlyList<TransferDirection> Directions, TimeSpan CellTime, int Rounds, string? Peer, NodeCredentials Credentials)
{
    public int CellCount => Media.Count * Sizes.Count * Depths.Count * Streams.Count * Directions.Count;
}
