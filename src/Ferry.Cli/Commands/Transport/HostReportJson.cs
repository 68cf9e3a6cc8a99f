using System.Text.Json;
using Ferry.Kv.Ucx;
using Ferry.Transfer.Host;

namespace Ferry.Cli.Commands.Transport;

/// <summary>The report for programs.</summary>
internal static class HostReportJson
{
    public static void Write(HostReport report, TextWriter output) => output.WriteLine(JsonSerializer.Serialize(new
    {
        report.Plan.Media,
        report.Plan.Reason,
        report.Plan.Notes,
        UcxTls = new { Value = report.Tls.Text, Transports = report.Tls.Transports.Order(StringComparer.Ordinal), CarriesNixl = report.Tls.CarriesMessages },
        Ucx = new
        {
            report.Ucx.Release,
            report.Ucx.Path,
            report.Ucx.Reason,
            report.Ucx.MemoryTypes,
            Transports = report.Ucx.Resources.Select(resource => new
            {
                Name = UcxFacts.NameOf(resource),
                Device = resource[(resource.IndexOf('/', StringComparison.Ordinal) + 1)..],
                Kind = UcxNames.TryTransport(UcxFacts.NameOf(resource))?.Kind.ToString(),
                IsAllowed = report.Tls.Allows(UcxFacts.NameOf(resource)),
            }),
        },
        report.Rdma,
        report.HasVerbsFiles,
        Accelerators = new { Vendor = report.Accelerators.Vendor.ToString(), report.Accelerators.Devices },
        report.HugePages,
        report.Rights,
        report.SharedMemory,
        report.Network,
        report.Tcp,
        report.Problems,
    }, JsonOutput.Format));
}
