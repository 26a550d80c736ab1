import { PluginComponentType, registerComponent } from "@fiftyone/plugins";
import Editor from "./Editor.jsx";

registerComponent({
  name: "EvalsetsQuery",
  label: "Query",
  component: Editor,
  type: PluginComponentType.Component,
});
