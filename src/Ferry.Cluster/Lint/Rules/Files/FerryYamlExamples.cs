namespace Ferry.Cluster.Lint.Rules.Files;

/// <summary>A small ferry.yaml for the pages of rules.</summary>
internal static class FerryYamlExamples
{
    /// <param name="poolLine">A line of the first pool.</param>
    public static string Cpu(string poolLine) => $$"""
        name: small
        model: {id: meta-llama/Llama-3.1-8B-Instruct, maxLength: 4096}
        pools:
          - name: prefill
            role: prefill
            accelerator: cpu
            engine: {kind: ferry}
            {{poolLine}}
            nodes: [{name: prefill-0, address: 10.0.0.11}]
          - name: decode
            role: decode
            accelerator: cpu
            engine: {kind: ferry}
            nodes: [{name: decode-0, address: 10.0.0.21}]
        """;
}
