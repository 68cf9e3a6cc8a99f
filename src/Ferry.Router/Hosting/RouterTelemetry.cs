using Ferry.Router.Forwarding;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Ferry.Router.Hosting;

/// <summary>Exports spans by OTLP. Off unless an endpoint is configured: without a listener no span is made at all.</summary>
internal static class RouterTelemetry
{
    public static void Add(IServiceCollection services, string endpoint)
    {
        if (endpoint.Length == 0)
        {
            return;
        }
        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("ferry-route"))
            .WithTracing(tracing => tracing
                .AddSource(RouterTracing.SourceName)
                // A client that sampled its trace is followed; one that did not is left alone.
                .SetSampler(new ParentBasedSampler(new AlwaysOnSampler()))
                .AddOtlpExporter(exporter =>
                {
                    exporter.Endpoint = new Uri(new Uri(endpoint), "/v1/traces");
                    exporter.Protocol = OpenTelemetry.Exporter.OtlpExportProtocol.HttpProtobuf;
                }));
    }
}
