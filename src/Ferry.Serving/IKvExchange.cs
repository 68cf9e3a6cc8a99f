using Ferry.Engine.Connector;

namespace Ferry.Serving;

/// <summary>The exchange of one node as its host sees it. Disposing ends leases, side channel and tiers.</summary>
public interface IKvExchange : IAsyncDisposable
{
    IKvConnector Connector { get; }

    IKvReports Reports { get; }

    /// <summary>One line for the startup report: role, address, transports, tiers.</summary>
    string Description { get; }
}
