using System.Text;

namespace Ferry.Kv.Metrics;

/// <summary>Some series of a family under another name, so that dashboards made for another program fit.</summary>
internal sealed record MetricAlias(string Name, string Help, MetricFamily Source, string Label, string Value)
{
    public void WriteText(StringBuilder text) => Source.WriteText(text, Name, Help, $"{Label}=\"{Value}\"");
}
