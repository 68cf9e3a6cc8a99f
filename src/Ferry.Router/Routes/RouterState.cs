using Ferry.Router.Admission;
using Ferry.Router.Choosing;
using Ferry.Router.Connectors;
using Ferry.Router.Forwarding;
using Ferry.Router.Metrics;
using Microsoft.Extensions.Logging;

namespace Ferry.Router.Routes;

/// <summary>What every route works with; one for the life of the router.</summary>
internal sealed record RouterState(RouterRuntime Runtime, LegSender Sender, RouterMetrics Metrics, TimeProvider Clock, ILogger Logger)
{
    /// <summary>What the nodes say they are.</summary>
    public required NodeVersions Versions { get; init; }

    /// <summary>As they are now: a reload may change them between two reads.</summary>
    public RouterOptions Options => Runtime.Options;

    public NodeChooser Chooser => Runtime.Chooser;

    public AdmissionQueue Admission => Runtime.Admission;
}
