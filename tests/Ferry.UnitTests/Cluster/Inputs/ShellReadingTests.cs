using Ferry.Cluster.Observed;
using Xunit;

namespace Ferry.UnitTests.Cluster.Inputs;

public sealed class ShellReadingTests
{
    [Fact]
    public void DockerRun_WithEveryKindOfOption_IsReadWhole()
    {
        var process = Reading.One("run.sh", """
            #!/bin/bash
            docker run -itd --name prefill-0 --device=/dev/kfd --device /dev/dri --group-add video --net=host --ipc host \
              --cap-add=IPC_LOCK --ulimit memlock=-1:-1 -v /nvme:/cache:ro -p 127.0.0.1:8000:8001 --shm-size=16g --memory 64g \
              -e UCX_TLS=rc,rocm,sm,self --env=PYTHONHASHSEED=0 -eHIP_VISIBLE_DEVICES=0,1 \
              rocm/vllm:0.14 vllm serve meta-llama/Llama-3.1-8B-Instruct --tensor_parallel_size=2 --port 8001 --trust-remote-code
            """);
        var container = process.Container!;
        Assert.Equal((ProcessKind.VllmServe, "prefill-0", ProcessRole.Prefill), (process.Kind, process.Name, process.Role));
        Assert.Equal(["/dev/kfd", "/dev/dri"], container.Devices.Select(device => device.Value));
        Assert.True(container.IsHostNetwork && container.IsHostIpc && container.HasCapability("IPC_LOCK"));
        Assert.Equal("-1", container.Ulimit("memlock"));
        Assert.Equal(("/nvme", "/cache"), (container.Volumes[0].Source, container.Volumes[0].Target));
        Assert.Equal(("127.0.0.1", 8000, 8001), (container.Ports[0].HostAddress, container.Ports[0].HostPort, container.Ports[0].ContainerPort));
        Assert.Equal("rocm/vllm:0.14", container.Image!.Value);
        Assert.Equal(["UCX_TLS", "PYTHONHASHSEED", "HIP_VISIBLE_DEVICES"], process.Environment.All.Select(setting => setting.Name.Value));
        Assert.Equal((2, 8001, "meta-llama/Llama-3.1-8B-Instruct"), (process.TensorParallel, process.Port, process.Model!.Value));
        Assert.Equal((AcceleratorKind.Rocm, "/dev/kfd"), (process.Accelerator.Kind, process.Accelerator.Reason));
    }

    [Fact]
    public void Value_InQuotesAndVariables_PointsAtItsCharacters()
    {
        const string Script = "HOST=10.0.0.1\ndocker run -e \"A=x y\" -e B='q\"r' -e C=\"$HOST:1\" redis:7\n";
        var process = Reading.One("a.sh", Script);
        Assert.Equal(["x y", "q\"r", "10.0.0.1:1"], process.Environment.All.Select(setting => setting.Value!.Value));
        var a = process.Environment.Value("A")!;
        Assert.Equal("x y", a.TryExact()!.Value.Text);
        Assert.Equal((2, Script.Split('\n')[1].IndexOf("x y", StringComparison.Ordinal) + 1), (a.Span.Line, a.Span.Column));
        Assert.Equal("10.0.0.1", process.Environment.Value("C")!.Slice(0, 8).Text);   // where the variable is assigned
    }

    [Fact]
    public void Script_OfArraysExportsAndNestedShells_IsFollowed()
    {
        var cluster = Reading.Of(("a.sh", """
            export PYTHONHASHSEED=0
            args=(
              --port 8100   # the router knows it
              -tp 4
            )
            args+=(--max-model-len "8192")
            ssh decode-node 'docker run -d --name decode -e LMCACHE_CHUNK_SIZE=256 vllm/vllm-openai:v0.14.0 --model m'
            UCX_TLS=tcp vllm serve meta-llama/Llama-3.1-8B-Instruct "${args[@]}" &
            docker run -d --name late -e PYTHONHASHSEED img bash -lc 'export UCX_TLS=rc && exec vllm serve m2 --port 9'
            """));
        var (decode, bare, late) = (cluster.Processes[0], cluster.Processes[1], cluster.Processes[2]);
        Assert.Equal(("decode", "256"), (decode.Name, decode.LmCache.Value("chunk_size")!.Value));
        Assert.Equal((8100, 4, "8192"), (bare.Port, bare.TensorParallel, bare.Arguments.Value("--max-model-len")!.Value));
        Assert.Equal(("0", "tcp"), (bare.Environment.Value("PYTHONHASHSEED")!.Value, bare.Environment.Value("UCX_TLS")!.Value));
        Assert.Equal((ProcessKind.VllmServe, "m2", "rc", "0"), (late.Kind, late.Model!.Value, late.Environment.Value("UCX_TLS")!.Value, late.Environment.Value("PYTHONHASHSEED")!.Value));
    }

    [Fact]
    public void Command_EndedByAComment_IsReadAsItWasMeant()
    {
        var cluster = Reading.Of(("a.sh", "docker run -d --name a \\\n  # one\n  # two\n  \\\n  # three\n  -e A=1 \\\n  img:1 \\\n  vllm serve m # end\necho done\n"));
        var process = Assert.Single(cluster.Processes);
        Assert.Equal(("1", "m"), (process.Environment.Value("A")!.Value, process.Model!.Value));
        Assert.Equal([2, 5], cluster.Defects.Where(defect => defect.RuleId == "FERRY-SH001").Select(defect => defect.Span.Line));
    }

    [Theory]
    [InlineData("docker run -d --name a \\\n  -e A=1 img:1 \\\n  # the end\necho done\n")]
    [InlineData("# about\n\ndocker run -d --name a img:1\n\n# -e is not used\n")]
    [InlineData("cat <<'EOF'\ndocker run -d \\\n # no\n -e A=1\nEOF\n")]
    [InlineData("vllm_port=1\ncase $1 in\n  --help) exit 0 ;;\n  -p|--port) vllm serve m --port $2 ;;\nesac\n")]
    [InlineData("kubectl get pods -l app=vllm \\\n  # watch\n  -w\ncurl <your-host>/v1/models\n")]
    [InlineData("if [ \"$1\" = x ]; then\n  docker run --rm img:1\nfi\ncase $1 in\n  start) docker run --rm img:2 ;;\nesac\n")]
    public void Script_WithNothingWrongForTheShell_HasNoDefects(string script) =>
        Assert.DoesNotContain(Reading.Of(("a.sh", script)).Defects, defect => defect.RuleId.StartsWith("FERRY-SH", StringComparison.Ordinal));

    [Fact]
    public void Heredoc_ThatWritesLmCacheYaml_IsTheFileThatTheEngineReads()
    {
        var process = Reading.One("a.sh", """
            cat > /etc/lmcache.yaml <<EOF
            chunk_size: 512
            local_cpu: true
            EOF
            LMCACHE_CONFIG_FILE=/etc/lmcache.yaml vllm serve m
            """);
        var size = process.LmCache.Find("chunk_size")!;
        Assert.Equal(("512", 2, LmCacheOrigin.Yaml), (size.Value.Value, size.Span.Line, size.Origin));
    }

    [Fact]
    public void KvTransferConfig_InAShellWord_KnowsTheLineOfEachField()
    {
        var process = Reading.One("a.sh", "vllm serve m \\\n  --kv-transfer-config '{\"kv_connector\":\"NixlConnector\",\n    \"kv_role\":\"kv_both\"}'\n");
        Assert.Equal(("NixlConnector", 2), (process.KvTransfer!.Connector!.Value, process.KvTransfer.Connector.Span.Line));
        Assert.Equal((3, "kv_both"), (process.KvTransfer.Role!.Span.Line, process.KvTransfer.Role.TryExact()!.Value.Text));
    }

    [Fact]
    public void KvTransferConfig_InDottedFlags_IsTheSameObject()
    {
        var process = Reading.One("a.sh", "vllm serve m --kv-transfer-config.kv_connector NixlConnector --kv-transfer-config.kv_connector_extra_config.kv_lease_duration 300\n");
        Assert.Equal("NixlConnector", process.KvTransfer!.Connector!.Value);
        Assert.Equal("300", process.KvTransfer.Extra!.Find("kv_lease_duration")!.Text.Value);
    }
}
