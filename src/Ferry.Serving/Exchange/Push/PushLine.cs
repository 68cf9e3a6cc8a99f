using Ferry.Transfer;
using Microsoft.Extensions.Logging;

namespace Ferry.Serving.Exchange.Push;

/// <summary>What every push works with; one for the life of the exchange.</summary>
/// <param name="Arena">Where this node's records lie.</param>
internal sealed record PushLine(
    PeerConnections Peers, MemoryRegion Arena, KvExchangeOptions Options, string KeyAlgorithm, ExchangeCounters Counters, TimeProvider Time, ILogger Logger);
